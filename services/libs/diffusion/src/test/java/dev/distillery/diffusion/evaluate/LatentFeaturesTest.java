package dev.distillery.diffusion.evaluate;

import java.util.Map;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.Golden;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.vae.AutoencoderKL;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** On the auto-encoder of the mini SDXL, whose latents are held against diffusers'. */
class LatentFeaturesTest {
    @Test
    void shouldAverageTheScaledLatentsOverAGrid() {
        try (NDManager scope = Torch.newManager()) {
            // Given latents of 8 x 12
            Map<String, NDArray> golden =
                    Golden.tensors(Golden.folder("pipeline").resolve("encoders.safetensors"), scope);
            AutoencoderKL vae = AutoencoderKL.load(Golden.miniSdxl().resolve("vae"), scope);
            NDArray mean = golden.get("mean").mul((float) vae.config().scalingFactor());
            // When
            NDArray features = LatentFeatures.of(golden.get("pixels").div(2).add(0.5f), vae);
            // Then a column of the grid spans one and a half of theirs, so the first is the mean of the first two
            assertThat(features.getShape())
                    .isEqualTo(new Shape(2, mean.getShape().get(1) * 64));
            NDArray corner = mean.get(":, :, 0, 0:2").mean(new int[] {2});
            Golden.assertClose("corner", features.reshape(2, -1, 64).get(":, :, 0"), corner);
        }
    }
}
