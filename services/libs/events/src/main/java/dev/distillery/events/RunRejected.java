package dev.distillery.events;

import java.util.List;

/** The request is not done, and why. */
public record RunRejected(String run, List<Violation> violations) implements RunEvent {}
