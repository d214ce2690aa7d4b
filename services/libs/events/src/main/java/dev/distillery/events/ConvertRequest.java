package dev.distillery.events;

import java.util.List;

/**
 * Asks for a checkpoint to be converted. {@code step} null: the newest; {@code weights} (raw or ema) and {@code dtype} null: those
 * of the run.
 */
public record ConvertRequest(String run, Long step, String weights, String dtype, List<String> save) implements Event {}
