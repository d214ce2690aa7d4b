package dev.distillery.diffusion.distill;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.distillery.diffusion.Golden;
import dev.distillery.diffusion.tensor.Precision;
import dev.distillery.diffusion.tensor.Torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class ReplayTest {
    private static final Path MODEL = Golden.folder("unet-sdxl");

    @Test
    void shouldWriteTheSameTensorsAsThePeer(@TempDir Path folder) throws IOException {
        try (NDManager scope = Torch.newManager()) {
            // Given
            Path answer = folder.resolve("answer.safetensors");
            Map<String, NDArray> expected = Golden.tensors(MODEL.resolve("step-tiny.safetensors"), scope);
            // When
            Replay.step(MODEL, "tiny", Precision.FP32, MODEL.resolve("batch.safetensors"), answer);
            // Then
            Map<String, NDArray> actual = Golden.tensors(answer, scope);
            assertThat(actual.keySet()).containsAll(expected.keySet()).contains("target");
            Golden.assertClose("pred", actual.get("pred"), expected.get("pred"));
            Golden.assertClose(
                    "grad.conv_in.weight", actual.get("grad.conv_in.weight"), expected.get("grad.conv_in.weight"));
        }
    }

    /** bfloat16 keeps 8 bits, so single gradients differ by up to two roundings where kernels sum in another order. */
    @Test
    void shouldEqualAutocastInBfloat16(@TempDir Path folder) throws IOException {
        try (NDManager scope = Torch.newManager()) {
            // Given
            Path answer = folder.resolve("answer.safetensors");
            Map<String, NDArray> expected = Golden.tensors(MODEL.resolve("step-small-bf16.safetensors"), scope);
            Map<String, NDArray> fp32 = Golden.tensors(MODEL.resolve("step-small.safetensors"), scope);
            // When
            Replay.step(MODEL, "small", Precision.BF16, MODEL.resolve("batch.safetensors"), answer);
            // Then
            Map<String, NDArray> actual = Golden.tensors(answer, scope);
            assertThat(actual.keySet()).containsAll(expected.keySet());
            double largest = expected.values().stream()
                    .mapToDouble(tensor -> tensor.norm().getFloat())
                    .max()
                    .orElseThrow();
            assertThat(expected.keySet()).allSatisfy(name -> {
                NDArray golden = expected.get(name);
                double scale = Math.max(golden.norm().getFloat(), 1e-3 * largest);
                assertThat(actual.get(name).sub(golden).norm().getFloat() / scale)
                        .as(name)
                        .isLessThan(name.startsWith("loss") ? 0.005 : 0.06);
            });
            assertThat(difference(actual.get("pred"), fp32.get("pred"))).isBetween(1e-3, 0.03);
        }
    }

    private static double difference(NDArray a, NDArray b) {
        return a.sub(b).norm().getFloat() / b.norm().getFloat();
    }

    @Test
    void shouldNameTheTensorThatABatchLacks(@TempDir Path folder) {
        assertThatThrownBy(() -> Replay.step(
                        MODEL,
                        "tiny",
                        Precision.FP32,
                        MODEL.resolve("teacher.safetensors"),
                        folder.resolve("answer.safetensors")))
                .hasMessageContaining("teacher.safetensors")
                .hasMessageContaining("'latents'");
    }
}
