/**
 * The commands against an installation that runs elsewhere. They say what any client could: events on its topics, and what lies in its
 * store. {@link dev.distillery.standalone.installation.Connection} knows where both are.
 */
package dev.distillery.standalone.installation;
