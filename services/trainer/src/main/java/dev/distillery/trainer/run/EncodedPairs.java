package dev.distillery.trainer.run;

import java.nio.file.Path;

/**
 * What a run trains on.
 *
 * @param latents local copy of {@code latents/<fp>}
 * @param validation how many pairs, the last ones, come from a source of their own and are held out; 0: none
 */
public record EncodedPairs(Path latents, int validation) {}
