package dev.distillery.diffusion.vae;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.Golden;
import dev.distillery.diffusion.tensor.SavedTensors;
import dev.distillery.diffusion.tensor.Torch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Against diffusers 0.35.1; golden tensors by {@code src/test/python/golden_pipeline.py}. */
class AutoencoderGoldenTest {
    private final NDManager scope = Torch.newManager();
    private AutoencoderKL vae;
    private Map<String, NDArray> golden;

    @BeforeEach
    void load() {
        vae = AutoencoderKL.load(Golden.miniSdxl().resolve("vae"), scope);
        golden = Golden.tensors(Golden.folder("pipeline").resolve("encoders.safetensors"), scope);
    }

    @AfterEach
    void free() {
        scope.close();
    }

    @Test
    void shouldEncodeAsDiffusersDoes() {
        AutoencoderKL.Posterior posterior = vae.encode(golden.get("pixels"));
        Golden.assertClose("mean", posterior.mean(), golden.get("mean"));
        Golden.assertClose("std", posterior.std(), golden.get("std"));
    }

    @Test
    void shouldDecodeAsDiffusersDoes() {
        Golden.assertClose("decoded", vae.decode(golden.get("latents")), golden.get("decoded"));
    }

    /** Its weights in float32 are the mapped file until they are copied; the garbage collector takes the mapping away. */
    @Test
    void shouldNotNeedItsFileWhenItIsLoaded(@TempDir Path dir) throws IOException {
        // Given
        Path folder = Golden.miniSdxl().resolve("vae");
        Files.copy(folder.resolve("config.json"), dir.resolve("config.json"));
        Path file = dir.resolve("diffusion_pytorch_model.safetensors");
        SavedTensors.write(file, Golden.tensors(folder.resolve("diffusion_pytorch_model.safetensors"), scope));
        AutoencoderKL whole = AutoencoderKL.load(dir, scope);

        // When
        for (int i = 0; i < 10; i++) {
            System.gc();
        }

        // Then
        Golden.assertClose("decoded", whole.decode(golden.get("latents")), golden.get("decoded"));
        Golden.assertClose("mean", whole.encode(golden.get("pixels")).mean(), golden.get("mean"));
    }

    @Test
    void shouldRefuseASizeThatIsNoMultipleOfALatent() {
        NDArray pixels = scope.zeros(new Shape(1, 3, 30, 32));
        assertThatThrownBy(() -> vae.encode(pixels))
                .hasMessageContaining("multiple of 4")
                .hasMessageContaining("30x32");
    }
}
