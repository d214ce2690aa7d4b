/** What an installation needs before the services start: topics, the bucket; and whether they are there. */
package dev.distillery.dataingest.setup;
