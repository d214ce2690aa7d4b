/** Publishing events from a Quarkus service. */
package dev.distillery.events.messaging;
