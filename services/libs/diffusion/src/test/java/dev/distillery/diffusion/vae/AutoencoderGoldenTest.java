package dev.distillery.diffusion.vae;

import java.util.Map;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.Golden;
import dev.distillery.diffusion.tensor.Torch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

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

    @Test
    void shouldRefuseASizeThatIsNoMultipleOfALatent() {
        NDArray pixels = scope.zeros(new Shape(1, 3, 30, 32));
        assertThatThrownBy(() -> vae.encode(pixels))
                .hasMessageContaining("multiple of 4")
                .hasMessageContaining("30x32");
    }
}
