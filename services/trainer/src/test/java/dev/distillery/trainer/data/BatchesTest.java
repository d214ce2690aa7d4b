package dev.distillery.trainer.data;

import java.nio.file.Path;
import java.util.Arrays;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.distill.Batch;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.trainer.MadeLatents;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

class BatchesTest {

    private static final Timesteps UNIFORM = new Timesteps(1000, 0, 1, 1);

    @Test
    void shouldGiveTheSameNumbersWhenAStepIsPartedIntoMicroBatches(@TempDir Path dir) {
        try (LatentsDataset data = LatentsDataset.open(MadeLatents.write(dir, 2, 5));
                NDManager scope = Torch.newManager()) {
            // Given
            Batches batches = new Batches(data, 0.5, UNIFORM, 7);
            int[] pairs = {9, 0, 4, 6};
            Batch whole = batches.ofStep(scope, pairs, 0, 4, 3);

            // When
            Batch second = batches.ofStep(scope, pairs, 2, 4, 3);

            // Then
            assertThat(whole.latents().getShape()).isEqualTo(new Shape(4, 4, 16, 16));
            assertThat(whole.promptEmbeds().getShape()).isEqualTo(new Shape(4, 77, 96));
            assertThat(whole.textEmbeds().getShape()).isEqualTo(new Shape(4, 64));
            assertThat(second.latents().toFloatArray())
                    .containsExactly(whole.latents().get("2:").toFloatArray());
            assertThat(second.noise().toFloatArray())
                    .containsExactly(whole.noise().get("2:").toFloatArray());
            assertThat(second.timesteps().toLongArray())
                    .containsExactly(whole.timesteps().get("2:").toLongArray());
            assertThat(second.promptEmbeds().toFloatArray())
                    .containsExactly(whole.promptEmbeds().get("2:").toFloatArray());
        }
    }

    @Test
    void shouldDrawAnewEachStepButNeverForHeldOutPairs(@TempDir Path dir) {
        try (LatentsDataset data = LatentsDataset.open(MadeLatents.write(dir, 1, 4));
                NDManager scope = Torch.newManager()) {
            // Given
            int[] pairs = {1, 2};
            Batches one = new Batches(data, 0.5, UNIFORM, 7);
            Batches otherSeed = new Batches(data, 0.5, UNIFORM, 8);

            // When
            float[] firstStep = one.ofStep(scope, pairs, 0, 2, 1).noise().toFloatArray();
            float[] nextStep = one.ofStep(scope, pairs, 0, 2, 2).noise().toFloatArray();
            float[] heldOut = one.heldOut(scope, pairs, 0, 2).noise().toFloatArray();
            float[] heldOutAgain = otherSeed.heldOut(scope, pairs, 0, 2).noise().toFloatArray();

            // Then
            assertThat(nextStep).isNotEqualTo(firstStep);
            assertThat(heldOutAgain).containsExactly(heldOut);
        }
    }

    @Test
    void shouldScaleTheSampledPosteriorWhenMeanAndStdAreKnown(@TempDir Path dir) {
        try (LatentsDataset data = LatentsDataset.open(MadeLatents.write(dir, 1, 2))) {
            // Given eps of one where the made std is 0.1
            float[] mean = new float[1024];
            data.sampleLatent(1, 1, 1f, mean, 0);
            float[] latent = new float[1024];
            Arrays.fill(latent, 1f);

            // When
            data.sampleLatent(1, 1, 0.5f, latent, 0);

            // Then
            for (int i = 0; i < latent.length; i++) {
                assertThat(latent[i]).isEqualTo((mean[i] + 0.1f) * 0.5f);
            }
        }
    }
}
