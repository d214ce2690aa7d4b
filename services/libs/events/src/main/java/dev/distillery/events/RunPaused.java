package dev.distillery.events;

/** The run was paused on request, after this step; it waits until it is resumed. {@code step} null: not begun. */
public record RunPaused(String run, Long step) implements RunEvent {}
