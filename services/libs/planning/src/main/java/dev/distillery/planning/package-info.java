/** What a train request means for the models, before anything is started: settings, and the memory that they need. */
package dev.distillery.planning;
