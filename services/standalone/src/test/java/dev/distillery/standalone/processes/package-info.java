/** An installation as it is deployed: every part a process of its own. */
package dev.distillery.standalone.processes;
