package dev.distillery.benchmarks;

/**
 * How a step is computed.
 *
 * @param precision {@code fp32} or {@code bf16}
 * @param recompute gradient checkpointing
 * @param optimizer {@code adamw} or {@code adafactor}
 * @param encode whether the peer encodes in every step, and ours beforehand
 * @param lora rank of a LoRA that is fine-tuned in place of the distillation; 0: none
 * @param textEncoders whether adapters of the text encoders learn beside it
 */
record Variant(String precision, boolean recompute, String optimizer, boolean encode, int lora, boolean textEncoders) {}
