package dev.distillery.diffusion;

import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.diffusion.tensor.SafetensorsSource;

import static org.assertj.core.api.Assertions.assertThat;

/** Tensors that the real diffusers and transformers made, by the scripts in {@code src/test/python}. */
public final class Golden {
    private Golden() {}

    /** A folder below {@code src/test/resources/dev/distillery/diffusion/golden}. */
    public static Path folder(String name) {
        try {
            return Path.of(Objects.requireNonNull(Golden.class.getResource("golden/" + name), name)
                    .toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The mini SDXL that the repository ships: Maven runs a module's tests in the module's folder. */
    public static Path miniSdxl() {
        return Path.of("../../../deploy/examples/mini-sdxl");
    }

    public static Map<String, NDArray> tensors(Path file, NDManager manager) {
        try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            return SafetensorsSource.loadAll(tensors, manager);
        }
    }

    /** Equal within 1e-4 of the expected tensor's standard deviation: float32 sums in another order differ by less. */
    public static void assertClose(String what, NDArray actual, NDArray expected) {
        assertThat(actual.getShape()).as(what).isEqualTo(expected.getShape());
        float deviation = expected.sub(expected.mean()).square().mean().sqrt().getFloat();
        float error = actual.sub(expected).abs().max().getFloat();
        assertThat(error / deviation)
                .as(what + ": largest error in standard deviations")
                .isLessThan(1e-4f);
    }
}
