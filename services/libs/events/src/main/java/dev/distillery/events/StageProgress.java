package dev.distillery.events;

/** How far a stage is. {@code rate} is in units a second; {@code secondsLeft} is null when unknown. */
public record StageProgress(
        String run, String stage, long done, long total, String unit, double rate, Double secondsLeft)
        implements RunEvent {}
