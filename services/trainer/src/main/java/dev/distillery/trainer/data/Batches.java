package dev.distillery.trainer.data;

import java.util.List;

import ai.djl.ndarray.NDManager;
import dev.distillery.diffusion.distill.Batch;
import dev.distillery.planning.TrainingSettings.Words;
import dev.distillery.trainer.data.LatentsDataset.Pair;
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
    private final Prior prior; // null: none

    /** @param latentScale the auto-encoder's {@code scaling_factor} */
    public Batches(LatentsDataset data, double latentScale, Sampling sampling) {
        this(data, (float) latentScale, sampling, null);
    }

    private Batches(LatentsDataset data, float latentScale, Sampling sampling, Prior prior) {
        this.data = data;
        this.latentScale = latentScale;
        this.sampling = sampling;
        this.prior = prior;
    }

    /** The same, in which each pair of a step has one of its class beside it, behind the pairs. */
    public Batches beside(Prior prior) {
        return new Batches(data, latentScale, sampling, prior);
    }

    /**
     * Some pairs of one size of step {@code step}. A pair's draws depend on its place in the whole step, so the same step in
     * more and smaller micro-batches sees the same numbers.
     *
     * @param firstSlot place of the first of the pairs in the step
     */
    HostBatch ofStep(int[] pairs, int firstSlot, long step) {
        int n = pairs.length;
        Assembly assembly = prior == null
                ? new Assembly(n, sampling.noise(), null)
                : new Assembly(2 * n, sampling.noise(), prior.weights(n));
        for (int i = 0; i < n; i++) {
            try (Pair pair = data.pair(pairs[i])) {
                assembly.add(pair, drawn(pair, Words.OF_PAIR, step, firstSlot + i));
            }
        }
        for (int i = 0; prior != null && i < n; i++) {
            Pair pair = prior.pair(sampling.seed(), step, firstSlot + i);
            assembly.add(pair, drawn(pair, Words.OF_CLASS, step, Prior.SLOTS + firstSlot + i));
        }
        return assembly.batch;
    }

    private Row drawn(Pair pair, Words words, long step, long slot) {
        Draws choices = Draws.of(sampling.seed(), step, slot, "choices");
        int view = choices.below(pair.dimensions().views());
        int timestep = sampling.timesteps().at(choices.unit());
        boolean captioned = choices.unit() >= sampling.captionDropout();
        return new Row(view, timestep, captioned ? words : Words.NONE, sampling.seed(), step, slot);
    }

    /**
     * Held-out pairs of one size, always with the same view, posterior sample, white noise and timestep, however the run draws:
     * the losses of runs can be compared. The timesteps are spread evenly, so that a few pairs judge all noise levels.
     *
     * @param places of the pairs among {@code heldOut}, all those that are held out
     */
    public Batch heldOut(NDManager manager, int[] heldOut, List<Integer> places) {
        Assembly assembly = new Assembly(places.size(), Noise.WHITE, null);
        for (int place : places) {
            int timestep = (int) ((place + 0.5) * sampling.timesteps().count() / heldOut.length);
            try (Pair pair = data.pair(heldOut[place])) {
                assembly.add(pair, new Row(0, timestep, Words.OF_PAIR, 0, 0, place));
            }
        }
        return assembly.batch.on(manager);
    }

    /** What a sample of a batch depends on besides its pair. */
    private record Row(int view, int timestep, Words words, long seed, long step, long slot) {
        boolean captioned() {
            return words != Words.NONE;
        }

        Draws draws(String purpose) {
            return Draws.of(seed, step, slot, purpose);
        }
    }

    /** A batch in the making; rows are added in order. */
    private final class Assembly {
        private final int size;
        private final Noise kind;
        private final float[] weights;
        private HostBatch batch; // from the first row on
        private int row;

        Assembly(int size, Noise kind, float[] weights) {
            this.size = size;
            this.kind = kind;
            this.weights = weights;
        }

        void add(Pair pair, Row of) {
            Dimensions d = pair.dimensions();
            if (batch == null) {
                batch = HostBatch.of(d, size, kind.perturbation() != 0, weights);
            } else if (!d.fits(batch.d())) {
                throw new IllegalArgumentException("A pair of latents is " + d + " in a batch of " + batch.d());
            }
            int at = row * d.latent();
            of.draws("posterior").normal(batch.latents(), at, at + d.latent());
            pair.sampleLatent(of.view, latentScale, batch.latents(), at);
            kind.draw(of.draws("noise"), d, batch.noise(), at);
            if (batch.inputNoise() != batch.noise()) {
                perturb(of.draws("perturbation"), at, at + d.latent());
            }
            batch.timesteps()[row] = of.timestep;
            batch.words()[row] = of.words.ordinal();
            pair.copyPromptEmbeds(of.captioned(), batch.prompts(), row * d.prompt());
            if (d.pooled() > 0) {
                pair.copyPooled(of.captioned(), batch.pooled(), row * d.pooled());
                pair.copyTimeIds(of.view, batch.timeIds(), row * TIME_IDS);
            }
            row++;
        }

        private void perturb(Draws draws, int from, int to) {
            float[] input = batch.inputNoise();
            draws.normal(input, from, to);
            for (int i = from; i < to; i++) {
                input[i] = batch.noise()[i] + (float) kind.perturbation() * input[i];
            }
        }
    }
}
