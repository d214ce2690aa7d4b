package dev.distillery.latentencoding;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Stream;

import dev.distillery.diffusion.safetensors.SafetensorsFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** Held against Pillow, torchvision, diffusers and transformers: {@code src/test/python/golden_shard.py}. */
class ShardEncoderGoldenTest {
    private static final Path MINI_SDXL = Path.of("../../deploy/examples/mini-sdxl");

    @TempDir
    Path folder;

    @Test
    void shouldMakeOfAShardWhatPythonMakesOfIt() throws IOException {
        // Given the centre of each image, not flipped
        EncodeSettings settings = EncodeSettings.square(64, false, 0, 1);

        // When
        ShardEncoder.Encoded encoded;
        try (Encoders encoders = new Encoders(MINI_SDXL)) {
            encoded = new ShardEncoder(encoders, settings)
                    .encode(Files.newInputStream(golden("shard.tar")), folder, done -> {});
        }

        // Then
        try (SafetensorsFile actual = SafetensorsFile.open(encoded.tensors());
                SafetensorsFile expected = SafetensorsFile.open(golden("expected.safetensors"))) {
            assertThat(actual.tensors().keySet())
                    .containsExactlyInAnyOrderElementsOf(
                            Stream.concat(expected.tensors().keySet().stream(), Stream.of("position"))
                                    .map(name -> ours(name))
                                    .toList());
            assertThat(actual.data(ours("caption_index"))).isEqualTo(expected.data("caption_index"));
            assertThat(actual.data(ours("time_ids"))).isEqualTo(expected.data("time_ids"));
            for (String name : new String[] {"mean", "std", "prompt_embeds", "pooled"}) {
                assertThat(actual.tensors().get(ours(name)).shape())
                        .as(name)
                        .isEqualTo(expected.tensors().get(name).shape());
                assertClose(name, floats(actual, ours(name)), floats(expected, name));
            }
        }
    }

    /** What there is of each size has the latents' size in its name. */
    private static String ours(String name) {
        return name.matches("prompt_embeds|pooled") ? name : name + ".16x16";
    }

    /** Equal within 1e-4 of the expected tensor's standard deviation: float32 sums in another order differ by less. */
    private static void assertClose(String what, float[] actual, float[] expected) {
        double sum = 0;
        double squares = 0;
        double error = 0;
        for (int i = 0; i < expected.length; i++) {
            sum += expected[i];
            squares += (double) expected[i] * expected[i];
            error = Math.max(error, Math.abs(actual[i] - expected[i]));
        }
        double mean = sum / expected.length;
        double deviation = Math.sqrt(squares / expected.length - mean * mean);
        assertThat(error / deviation)
                .as(what + ": largest error in standard deviations")
                .isLessThan(1e-4);
    }

    private static float[] floats(SafetensorsFile file, String name) {
        var data = file.data(name).asFloatBuffer();
        float[] values = new float[data.remaining()];
        data.get(values);
        return values;
    }

    private static Path golden(String name) {
        try {
            return Path.of(Objects.requireNonNull(ShardEncoderGoldenTest.class.getResource("golden/" + name), name)
                    .toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
