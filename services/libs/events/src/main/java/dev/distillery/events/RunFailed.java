package dev.distillery.events;

/** A stage gave up, and what the user can do about it. */
public record RunFailed(String run, String stage, String reason, String advice) implements RunEvent {}
