package dev.distillery.trainer.data;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.distill.Batch;
import dev.distillery.trainer.data.LatentsShard.Dimensions;

/**
 * A batch in this process's memory, before it goes to a device.
 *
 * @param d of each of its B pairs
 * @param latents (B, C, h, w)
 * @param noise (B, C, h, w)
 * @param inputNoise (B, C, h, w); the same array as the noise unless it is perturbed
 * @param timesteps (B)
 * @param prompts (B, 77, D)
 * @param pooled (B, P); empty without SDXL's additional embedding
 * @param timeIds (B, 6)
 * @param weights (B), how much each pair counts; null: all the same
 * @param words (B), the kind of the prompt
 */
record HostBatch(
        Dimensions d,
        float[] latents,
        float[] noise,
        float[] inputNoise,
        long[] timesteps,
        float[] prompts,
        float[] pooled,
        float[] timeIds,
        float[] weights,
        int[] words) {

    static HostBatch of(Dimensions d, int size, boolean perturbed, float[] weights) {
        float[] noise = new float[size * d.latent()];
        return new HostBatch(
                d,
                new float[size * d.latent()],
                noise,
                perturbed ? new float[size * d.latent()] : noise,
                new long[size],
                new float[size * d.prompt()],
                new float[size * d.pooled()],
                new float[size * Batches.TIME_IDS],
                weights,
                new int[size]);
    }

    /** Arrays of {@code manager}. */
    Batch on(NDManager manager) {
        int size = timesteps.length;
        Shape latent = new Shape(size, d.channels(), d.height(), d.width());
        NDArray onDevice = manager.create(noise, latent);
        boolean additional = d.pooled() > 0;
        return new Batch(
                manager.create(latents, latent),
                onDevice,
                inputNoise == noise ? onDevice : manager.create(inputNoise, latent),
                manager.create(timesteps),
                manager.create(prompts, new Shape(size, d.tokens(), d.embedding())),
                additional ? manager.create(pooled, new Shape(size, d.pooled())) : null,
                additional ? manager.create(timeIds, new Shape(size, Batches.TIME_IDS)) : null,
                weights,
                words);
    }
}
