package dev.distillery.converter.card;

import java.util.List;
import java.util.Set;

/**
 * The model that a card is of.
 *
 * @param prefix in the store
 * @param weights {@code raw} or {@code ema}
 * @param dtype {@code fp32}, {@code fp16} or {@code bf16}
 * @param save of {@code unet}, {@code pipeline} and {@code single-file}
 * @param files by name, as far as they are written
 */
public record Converted(
        String prefix, String run, long step, String weights, String dtype, Set<String> save, List<String> files) {}
