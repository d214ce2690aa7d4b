package dev.distillery.trainer.data;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.distill.Batch;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.trainer.MadeLatents;
import dev.distillery.trainer.data.LatentsDataset.Pair;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class BatchesTest {

    private static final Noise PERTURBED = new Noise(0, OptionalDouble.empty(), 0.1);

    private static Sampling sampling(double captionDropout, Noise noise, long seed) {
        return new Sampling(new Timesteps(1000, 0, 1, 1), noise, captionDropout, seed);
    }

    @Test
    void shouldGiveTheSameNumbersWhenAStepIsPartedIntoMicroBatches(@TempDir Path dir) {
        try (LatentsDataset data = MadeLatents.open(MadeLatents.write(dir, 2, 5), 2, 5, 0);
                NDManager scope = Torch.newManager()) {
            // Given
            Batches batches = new Batches(data, 0.5, sampling(0.5, PERTURBED, 7));
            int[] pairs = {9, 0, 4, 6};
            Batch whole = batches.ofStep(pairs, 0, 3).on(scope);

            // When
            Batch second = batches.ofStep(new int[] {4, 6}, 2, 3).on(scope);

            // Then
            assertThat(whole.latents().getShape()).isEqualTo(new Shape(4, 4, 16, 16));
            assertThat(whole.promptEmbeds().getShape()).isEqualTo(new Shape(4, 77, 96));
            assertThat(whole.textEmbeds().getShape()).isEqualTo(new Shape(4, 64));
            assertThat(second.latents().toFloatArray())
                    .containsExactly(whole.latents().get("2:").toFloatArray());
            assertThat(second.noise().toFloatArray())
                    .containsExactly(whole.noise().get("2:").toFloatArray());
            assertThat(second.inputNoise().toFloatArray())
                    .containsExactly(whole.inputNoise().get("2:").toFloatArray());
            assertThat(second.timesteps().toLongArray())
                    .containsExactly(whole.timesteps().get("2:").toLongArray());
            assertThat(second.promptEmbeds().toFloatArray())
                    .containsExactly(whole.promptEmbeds().get("2:").toFloatArray());
        }
    }

    @Test
    void shouldDrawAnewEachStepButNeverForHeldOutPairs(@TempDir Path dir) {
        try (LatentsDataset data = MadeLatents.open(MadeLatents.write(dir, 1, 4), 1, 4, 0);
                NDManager scope = Torch.newManager()) {
            // Given
            int[] pairs = {1, 2};
            Batches one = new Batches(data, 0.5, sampling(0, Noise.WHITE, 7));
            Batches otherSeed = new Batches(data, 0.5, sampling(0.5, PERTURBED, 8));

            // When
            float[] firstStep = one.ofStep(pairs, 0, 1).noise();
            float[] nextStep = one.ofStep(pairs, 0, 2).noise();
            float[] heldOut = one.heldOut(scope, pairs, List.of(0, 1)).noise().toFloatArray();
            float[] heldOutAgain =
                    otherSeed.heldOut(scope, pairs, List.of(0, 1)).noise().toFloatArray();

            // Then
            assertThat(nextStep).isNotEqualTo(firstStep);
            assertThat(heldOutAgain).containsExactly(heldOut);
        }
    }

    @Test
    void shouldSeeTheEmptyCaptionAsOftenAsAskedAndNeverInHeldOutPairs(@TempDir Path dir) {
        try (LatentsDataset data = MadeLatents.open(MadeLatents.write(dir, 1, 4), 1, 4, 0);
                NDManager scope = Torch.newManager()) {
            // Given
            int samples = 400;
            int[] pairs = new int[samples];
            Batches batches = new Batches(data, 0.5, sampling(0.25, Noise.WHITE, 7));
            float[] empty = new float[64];
            try (Pair any = data.pair(0)) {
                any.copyPooled(false, empty, 0);
            }

            // When
            int dropped = emptyRows(batches.ofStep(pairs, 0, 1).on(scope), empty);

            // Then: four standard errors
            assertThat(dropped).isBetween(100 - 35, 100 + 35);
            assertThat(emptyRows(
                            batches.heldOut(
                                    scope,
                                    pairs,
                                    IntStream.range(0, samples).boxed().toList()),
                            empty))
                    .isZero();
        }
    }

    private static int emptyRows(Batch batch, float[] empty) {
        float[] pooled = batch.textEmbeds().toFloatArray();
        int count = 0;
        for (int at = 0; at < pooled.length; at += empty.length) {
            count += Arrays.equals(pooled, at, at + empty.length, empty, 0, empty.length) ? 1 : 0;
        }
        return count;
    }

    @Test
    void shouldPerturbTheInputAloneByWhatWasAskedFor(@TempDir Path dir) {
        try (LatentsDataset data = MadeLatents.open(MadeLatents.write(dir, 1, 4), 1, 4, 0);
                NDManager scope = Torch.newManager()) {
            // Given
            int[] pairs = {1, 2, 3, 0};

            // When
            Batch plain = new Batches(data, 0.5, sampling(0, Noise.WHITE, 7))
                    .ofStep(pairs, 0, 1)
                    .on(scope);
            Batch perturbed = new Batches(data, 0.5, sampling(0, PERTURBED, 7))
                    .ofStep(pairs, 0, 1)
                    .on(scope);

            // Then
            assertThat(plain.inputNoise()).isSameAs(plain.noise());
            assertThat(perturbed.noise().toFloatArray())
                    .containsExactly(plain.noise().toFloatArray());
            float[] added = perturbed.inputNoise().sub(perturbed.noise()).toFloatArray();
            double squares = 0;
            for (float x : added) {
                squares += (double) x * x / added.length;
            }
            assertThat(Math.sqrt(squares)).isCloseTo(0.1, within(0.01));
        }
    }

    @Test
    void shouldScaleTheSampledPosteriorWhenMeanAndStdAreKnown(@TempDir Path dir) {
        try (LatentsDataset data = MadeLatents.open(MadeLatents.write(dir, 1, 2), 1, 2, 0);
                Pair pair = data.pair(1)) {
            // Given eps of one where the made std is 0.1
            float[] mean = new float[1024];
            pair.sampleLatent(1, 1f, mean, 0);
            float[] latent = new float[1024];
            Arrays.fill(latent, 1f);

            // When
            pair.sampleLatent(1, 0.5f, latent, 0);

            // Then
            for (int i = 0; i < latent.length; i++) {
                assertThat(latent[i]).isEqualTo((mean[i] + 0.1f) * 0.5f);
            }
        }
    }
}
