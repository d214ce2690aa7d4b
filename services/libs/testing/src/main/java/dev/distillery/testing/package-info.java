/** What the tests of services have in common: a real broker and store, and what was published. */
package dev.distillery.testing;
