package dev.distillery.events;

/** The request is valid and its work has begun. */
public record RunAccepted(String run) implements RunEvent {}
