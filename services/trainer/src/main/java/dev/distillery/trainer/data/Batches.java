package dev.distillery.trainer.data;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.distill.Batch;
import dev.distillery.trainer.data.LatentsShard.Dimensions;

/**
 * Makes the inputs of a step: which view of an image, the sample of its posterior, the noise, the timestep and whether the
 * caption is seen are all drawn here, by {@link Draws}.
 */
public final class Batches {

    static final int TIME_IDS = 6;

    private final LatentsDataset data;
    private final float latentScale;
    private final Sampling sampling;

    /** @param latentScale the auto-encoder's {@code scaling_factor} */
    public Batches(LatentsDataset data, double latentScale, Sampling sampling) {
        this.data = data;
        this.latentScale = (float) latentScale;
        this.sampling = sampling;
    }

    /**
     * Pairs {@code from} to {@code to - 1} of the pairs of step {@code step}. A pair's draws depend on its place in the
     * whole step, so the same step in more and smaller micro-batches sees the same numbers.
     */
    public Batch ofStep(NDManager manager, int[] pairs, int from, int to, long step) {
        Assembly assembly = new Assembly(to - from, sampling.noise());
        long seed = sampling.seed();
        for (int slot = from; slot < to; slot++) {
            Draws choices = Draws.of(seed, step, slot, "choices");
            int view = choices.below(data.dimensions().views());
            int timestep = sampling.timesteps().at(choices.unit());
            boolean captioned = choices.unit() >= sampling.captionDropout();
            assembly.add(new Row(pairs[slot], view, timestep, captioned, seed, step, slot));
        }
        return assembly.batch(manager);
    }

    /**
     * Held-out pairs {@code from} to {@code to - 1}, always with the same view, posterior sample, white noise and timestep,
     * however the run draws: the losses of runs can be compared. The timesteps are spread evenly, so that a few pairs judge all noise levels.
     */
    public Batch heldOut(NDManager manager, int[] pairs, int from, int to) {
        Assembly assembly = new Assembly(to - from, Noise.WHITE);
        for (int i = from; i < to; i++) {
            int timestep = (int) ((i + 0.5) * sampling.timesteps().count() / pairs.length);
            assembly.add(new Row(pairs[i], 0, timestep, true, 0, 0, i));
        }
        return assembly.batch(manager);
    }

    /** A sample of a batch, and what its random numbers depend on. */
    private record Row(int pair, int view, int timestep, boolean captioned, long seed, long step, long slot) {
        Draws draws(String purpose) {
            return Draws.of(seed, step, slot, purpose);
        }
    }

    /** Arrays in the making; rows are added in order. */
    private final class Assembly {
        private final Dimensions d = data.dimensions();
        private final int size;
        private final Noise kind;
        private final float[] latents;
        private final float[] noise;
        private final float[] inputNoise; // the same array unless it is perturbed
        private final long[] steps;
        private final float[] prompts;
        private final float[] pooled;
        private final float[] timeIds;
        private int row;

        Assembly(int size, Noise kind) {
            this.size = size;
            this.kind = kind;
            latents = new float[size * d.latent()];
            noise = new float[size * d.latent()];
            inputNoise = kind.perturbation() == 0 ? noise : new float[size * d.latent()];
            steps = new long[size];
            prompts = new float[size * d.prompt()];
            pooled = new float[size * d.pooled()];
            timeIds = new float[size * TIME_IDS];
        }

        void add(Row of) {
            int at = row * d.latent();
            of.draws("posterior").normal(latents, at, at + d.latent());
            data.sampleLatent(of.pair, of.view, latentScale, latents, at);
            kind.draw(of.draws("noise"), d, noise, at);
            if (inputNoise != noise) {
                perturb(of.draws("perturbation"), at);
            }
            steps[row] = of.timestep;
            data.copyPromptEmbeds(of.pair, of.captioned, prompts, row * d.prompt());
            if (d.pooled() > 0) {
                data.copyPooled(of.pair, of.captioned, pooled, row * d.pooled());
                data.copyTimeIds(of.pair, of.view, timeIds, row * TIME_IDS);
            }
            row++;
        }

        private void perturb(Draws draws, int at) {
            draws.normal(inputNoise, at, at + d.latent());
            for (int i = at; i < at + d.latent(); i++) {
                inputNoise[i] = noise[i] + (float) kind.perturbation() * inputNoise[i];
            }
        }

        /** Arrays of {@code manager}: (B, C, h, w) three times, (B), (B, 77, D) and, for SDXL, (B, P) and (B, 6). */
        Batch batch(NDManager manager) {
            Shape latent = new Shape(size, d.channels(), d.height(), d.width());
            NDArray noise = manager.create(this.noise, latent);
            NDArray promptEmbeds = manager.create(prompts, new Shape(size, d.tokens(), d.embedding()));
            boolean additional = d.pooled() > 0;
            return new Batch(
                    manager.create(latents, latent),
                    noise,
                    inputNoise == this.noise ? noise : manager.create(inputNoise, latent),
                    manager.create(steps),
                    promptEmbeds,
                    additional ? manager.create(pooled, new Shape(size, d.pooled())) : null,
                    additional ? manager.create(timeIds, new Shape(size, TIME_IDS)) : null);
        }
    }
}
