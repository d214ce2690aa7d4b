package dev.distillery.events;

/** Asks for something to be done about a run; the action is {@code cancel}, {@code pause} or {@code resume}. */
public record RunControl(String run, String action) implements Event {}
