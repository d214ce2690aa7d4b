package dev.distillery.events;

import java.util.List;

/** Asks for a checkpoint to be converted. {@code step} null: the newest; {@code dtype} null: that of the run. */
public record ConvertRequest(String run, Long step, String dtype, List<String> save) implements Event {}
