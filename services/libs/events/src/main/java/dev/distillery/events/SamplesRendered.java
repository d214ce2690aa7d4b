package dev.distillery.events;

import java.util.List;

/** The student drew its samples. */
public record SamplesRendered(String run, int epoch, long step, List<String> keys) implements RunEvent {}
