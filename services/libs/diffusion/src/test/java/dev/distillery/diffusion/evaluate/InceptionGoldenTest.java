package dev.distillery.diffusion.evaluate;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import dev.distillery.diffusion.Golden;
import dev.distillery.diffusion.image.Resampling;
import dev.distillery.diffusion.image.RgbImage;
import dev.distillery.diffusion.tensor.Torch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * With a TorchScript module that is called as {@code inception-2015-12-05.pt} is, against PyTorch 2.7.1; both it and the
 * golden values by {@code src/test/python/golden_evaluate.py}.
 */
class InceptionGoldenTest {
    private static final Path STANDIN = Golden.folder("evaluate").resolve("standin.pt");

    private final NDManager scope = Torch.newManager();
    private final Map<String, NDArray> golden =
            Golden.tensors(Golden.folder("evaluate").resolve("scores.safetensors"), scope);

    @AfterEach
    void close() {
        scope.close();
    }

    @Test
    void shouldSeeTheSameBytesAsPython() throws IOException {
        // Given
        RgbImage photo = RgbImage.decode(Files.readAllBytes(Golden.folder("image/photo.png")));
        List<RgbImage> drawn = List.of(
                photo.resize(64, 64, Resampling.BICUBIC),
                photo.crop(0, 0, 40, 40).resize(64, 64, Resampling.BICUBIC));
        // When
        NDArray bytes = Inception.bytes(
                drawn.stream()
                        .map(image -> image.resize(32, 32, Resampling.BICUBIC))
                        .toList(),
                scope);
        // Then
        assertThat(bytes.toUint8Array()).isEqualTo(expectedBytes());
    }

    private int[] expectedBytes() {
        return golden.get("inception.bytes").toType(DataType.INT32, false).toIntArray();
    }

    @Test
    void shouldGiveFeaturesAndProbabilitiesAsInPython() throws Exception {
        // Given
        NDArray bytes = golden.get("inception.bytes").toType(DataType.UINT8, false);
        try (Inception inception = Inception.load(STANDIN, sha256(STANDIN), scope)) {
            // When
            NDArray features = inception.features(bytes);
            NDArray probabilities = inception.probabilities(bytes);
            // Then
            Golden.assertClose("features", features, golden.get("inception.features"));
            Golden.assertClose("probabilities", probabilities, golden.get("inception.probabilities"));
        }
    }

    @Test
    void shouldNotRunAnArchiveOfAnotherDigest() {
        String other = "0".repeat(64);
        assertThatThrownBy(() -> Inception.load(STANDIN, other, scope))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("standin.pt must have the SHA-256 " + other);
    }

    @Test
    void shouldSayThatAFileIsNoTorchScript(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("inception.pt"), "no archive");
        String digest = sha256(file);
        assertThatThrownBy(() -> Inception.load(file, digest, scope))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("inception.pt is no TorchScript archive");
    }

    private static String sha256(Path file) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
    }
}
