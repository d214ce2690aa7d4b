package dev.distillery.trainer.data;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.distill.Batch;
import dev.distillery.trainer.data.LatentsShard.Dimensions;

/**
 * Makes the inputs of a step: which view of an image, the sample of its posterior, the noise and the timestep are all
 * drawn here, by {@link Draws}.
 */
public final class Batches {

    static final int TIME_IDS = 6;

    private final LatentsDataset data;
    private final float latentScale;
    private final Timesteps timesteps;
    private final long seed;

    /**
     * @param latentScale the auto-encoder's {@code scaling_factor}
     * @param timesteps of the noise schedule, and how they are drawn
     * @param seed of the run
     */
    public Batches(LatentsDataset data, double latentScale, Timesteps timesteps, long seed) {
        this.data = data;
        this.latentScale = (float) latentScale;
        this.timesteps = timesteps;
        this.seed = seed;
    }

    /**
     * Pairs {@code from} to {@code to - 1} of the pairs of step {@code step}. A pair's draws depend on its place in the
     * whole step, so the same step in more and smaller micro-batches sees the same numbers.
     */
    public Batch ofStep(NDManager manager, int[] pairs, int from, int to, long step) {
        Assembly assembly = new Assembly(to - from);
        for (int slot = from; slot < to; slot++) {
            Draws choices = Draws.of(seed, step, slot, "choices");
            int view = choices.below(data.dimensions().views());
            assembly.add(pairs[slot], view, timesteps.at(choices.unit()), seed, step, slot);
        }
        return assembly.batch(manager);
    }

    /**
     * Held-out pairs {@code from} to {@code to - 1}, always with the same view, posterior sample, noise and timestep,
     * whatever the run's seed. The timesteps are spread evenly, so that a few pairs judge all noise levels.
     */
    public Batch heldOut(NDManager manager, int[] pairs, int from, int to) {
        Assembly assembly = new Assembly(to - from);
        for (int i = from; i < to; i++) {
            int timestep = (int) ((i + 0.5) * timesteps.count() / pairs.length);
            assembly.add(pairs[i], 0, timestep, 0, 0, i);
        }
        return assembly.batch(manager);
    }

    /** Arrays in the making; rows are added in order. */
    private final class Assembly {
        private final Dimensions d = data.dimensions();
        private final int size;
        private final float[] latents;
        private final float[] noise;
        private final long[] steps;
        private final float[] prompts;
        private final float[] pooled;
        private final float[] timeIds;
        private int row;

        Assembly(int size) {
            this.size = size;
            latents = new float[size * d.latent()];
            noise = new float[size * d.latent()];
            steps = new long[size];
            prompts = new float[size * d.prompt()];
            pooled = new float[size * d.pooled()];
            timeIds = new float[size * TIME_IDS];
        }

        void add(int pair, int view, int timestep, long seed, long step, long slot) {
            int at = row * d.latent();
            Draws.of(seed, step, slot, "posterior").normal(latents, at, at + d.latent());
            data.sampleLatent(pair, view, latentScale, latents, at);
            Draws.of(seed, step, slot, "noise").normal(noise, at, at + d.latent());
            steps[row] = timestep;
            data.copyPromptEmbeds(pair, prompts, row * d.prompt());
            if (d.pooled() > 0) {
                data.copyPooled(pair, pooled, row * d.pooled());
                data.copyTimeIds(pair, view, timeIds, row * TIME_IDS);
            }
            row++;
        }

        /** Arrays of {@code manager}: (B, C, h, w) twice, (B), (B, 77, D) and, for SDXL, (B, P) and (B, 6). */
        Batch batch(NDManager manager) {
            Shape latent = new Shape(size, d.channels(), d.height(), d.width());
            NDArray promptEmbeds = manager.create(prompts, new Shape(size, d.tokens(), d.embedding()));
            boolean additional = d.pooled() > 0;
            return new Batch(
                    manager.create(latents, latent),
                    manager.create(noise, latent),
                    manager.create(steps),
                    promptEmbeds,
                    additional ? manager.create(pooled, new Shape(size, d.pooled())) : null,
                    additional ? manager.create(timeIds, new Shape(size, TIME_IDS)) : null);
        }
    }
}
