package dev.distillery.events.messaging;

import dev.distillery.events.Event;
import dev.distillery.events.Topic;

/** Told within the process when the broker has an event. */
public record Published(Topic topic, Event event) {}
