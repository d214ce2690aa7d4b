package dev.distillery.events;

/** The student is trained. */
public record TrainingCompleted(String run, long step, double seconds) implements RunEvent {}
