package dev.distillery.diffusion.distill;

import ai.djl.ndarray.NDArray;
import dev.distillery.diffusion.unet.UNet2DCondition;

/**
 * What one step learns from.
 *
 * @param latents scaled latents {@code (B, C, H, W)}
 * @param noise of the same shape, to be predicted
 * @param inputNoise what the latents are mixed with: {@code noise}, unless that is perturbed
 * @param timesteps {@code (B)} int64, 0..999
 * @param promptEmbeds {@code (B, L, D)}
 * @param textEmbeds pooled prompt embedding {@code (B, P)}; null for SD v1/v2
 * @param timeIds {@code (B, 6)}; null for SD v1/v2
 */
public record Batch(
        NDArray latents,
        NDArray noise,
        NDArray inputNoise,
        NDArray timesteps,
        NDArray promptEmbeds,
        NDArray textEmbeds,
        NDArray timeIds) {

    /** Of noise that is not perturbed. */
    public Batch(
            NDArray latents,
            NDArray noise,
            NDArray timesteps,
            NDArray promptEmbeds,
            NDArray textEmbeds,
            NDArray timeIds) {
        this(latents, noise, noise, timesteps, promptEmbeds, textEmbeds, timeIds);
    }

    UNet2DCondition.Input input(NDArray noisyLatents) {
        return new UNet2DCondition.Input(noisyLatents, timesteps, promptEmbeds, textEmbeds, timeIds);
    }
}
