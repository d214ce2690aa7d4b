package dev.distillery.diffusion.distill;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.distillery.diffusion.Golden;
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
            Replay.step(MODEL, "tiny", MODEL.resolve("batch.safetensors"), answer);
            // Then
            Map<String, NDArray> actual = Golden.tensors(answer, scope);
            assertThat(actual.keySet()).containsAll(expected.keySet()).contains("target");
            Golden.assertClose("pred", actual.get("pred"), expected.get("pred"));
            Golden.assertClose(
                    "grad.conv_in.weight", actual.get("grad.conv_in.weight"), expected.get("grad.conv_in.weight"));
        }
    }

    @Test
    void shouldNameTheTensorThatABatchLacks(@TempDir Path folder) {
        assertThatThrownBy(() -> Replay.step(
                        MODEL, "tiny", MODEL.resolve("teacher.safetensors"), folder.resolve("answer.safetensors")))
                .hasMessageContaining("teacher.safetensors")
                .hasMessageContaining("'latents'");
    }
}
