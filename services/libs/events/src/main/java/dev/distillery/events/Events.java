package dev.distillery.events;

/** Where events go; returns when they are durable. */
public interface Events {
    void publish(Topic topic, String key, Event event);
}
