package dev.distillery.events;

/** The run was stopped on request, during this stage. */
public record RunCancelled(String run, String stage) implements RunEvent {}
