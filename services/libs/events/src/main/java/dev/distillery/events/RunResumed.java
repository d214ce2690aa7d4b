package dev.distillery.events;

/** A paused run goes on as soon as a trainer is free. */
public record RunResumed(String run) implements RunEvent {}
