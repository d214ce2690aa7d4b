package dev.distillery.latentencoding;

import dev.distillery.artifacts.shard.Sample;

/** An encoder gave NaN or infinity: training on it would ruin the student in silence. */
public final class NotFiniteException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    NotFiniteException(String what, Sample sample) {
        super(
                what + " of pair " + sample.position() + " ('" + sample.caption() + "') is not finite; "
                        + "an auto-encoder made for fp32 whose weights were cut to fp16 does this: set teacher.vae to another one");
    }
}
