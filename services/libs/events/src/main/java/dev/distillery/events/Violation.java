package dev.distillery.events;

/** A wrong field of a request: where it is, what it was, and what is allowed. */
public record Violation(String path, String value, String message) {}
