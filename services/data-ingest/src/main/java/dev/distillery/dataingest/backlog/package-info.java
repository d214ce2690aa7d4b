/** What waits in front of the services: lag of consumer groups, runs without a trainer, dead letters. */
package dev.distillery.dataingest.backlog;
