package dev.distillery.events;

/** The run goes on to so many epochs or steps in all, from where it is or was at its end; the other is null. */
public record RunExtended(String run, Integer epochs, Integer steps) implements RunEvent {}
