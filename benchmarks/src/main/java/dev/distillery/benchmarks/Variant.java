package dev.distillery.benchmarks;

/**
 * How a step is computed.
 *
 * @param precision {@code fp32} or {@code bf16}
 * @param recompute gradient checkpointing
 * @param optimizer {@code adamw} or {@code adafactor}
 * @param encode whether the peer encodes in every step, and ours beforehand
 */
record Variant(String precision, boolean recompute, String optimizer, boolean encode) {}
