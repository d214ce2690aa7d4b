package dev.distillery.events;

/** Everything is done: the key prefix of the weights and the key of the report. */
public record RunCompleted(String run, String model, String report) implements RunEvent {}
