package dev.distillery.diffusion.clip;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.distillery.diffusion.Golden;
import dev.distillery.diffusion.evaluate.ClipScore;
import dev.distillery.diffusion.image.RgbImage;
import dev.distillery.diffusion.tensor.Torch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

/** Small CLIP models against transformers 4.55.4; golden values by {@code src/test/python/golden_evaluate.py}. */
class ClipModelGoldenTest {
    private static final List<String> CAPTIONS = List.of("red heart, heart", "a photo of a cat", "");

    private final NDManager scope = Torch.newManager();
    private List<RgbImage> photos;

    @TempDir
    Path folder;

    @BeforeEach
    void readPhotos() throws IOException {
        RgbImage photo = RgbImage.decode(Files.readAllBytes(Golden.folder("image/photo.png")));
        photos = List.of(photo, photo.crop(0, 0, 21, 30), photo.crop(0, 0, 83, 9));
    }

    @AfterEach
    void close() {
        scope.close();
    }

    @Test
    void shouldGiveTransformersPixelsToTheBit() {
        // Given
        ClipImages images = ClipImages.read(Golden.folder("clip-model/clip-quick"), 32);
        // When
        NDArray pixels = images.pixels(photos, scope);
        // Then
        assertThat(pixels.toFloatArray())
                .isEqualTo(golden("clip-quick").get("pixels").toFloatArray());
    }

    @ParameterizedTest
    @ValueSource(strings = {"clip-quick", "clip-gelu"})
    void shouldGiveTransformersFeaturesOfImagesAndTexts(String name) throws IOException {
        // Given
        Map<String, NDArray> golden = golden(name);
        try (ClipModel model = ClipModel.load(modelFolder(name), scope)) {
            // When
            NDArray images = model.imageFeatures(photos, scope);
            NDArray texts = model.textFeatures(CAPTIONS, scope);
            // Then
            Golden.assertClose("image features", images, golden.get("image"));
            Golden.assertClose("text features", texts, golden.get("text"));
            assertThat(ClipScore.of(ClipScore.cosines(images, texts)).mean())
                    .isCloseTo(golden.get("score").getFloat(), within(1e-5));
        }
    }

    @Test
    void shouldAddUpTheScoresOfParts() {
        // Given
        Map<String, NDArray> golden = golden("clip-quick");
        NDArray images = golden.get("image");
        NDArray texts = golden.get("text");
        // When
        ClipScore sum = ClipScore.of(ClipScore.cosines(images.get(":1"), texts.get(":1")))
                .plus(ClipScore.of(ClipScore.cosines(images.get("1:"), texts.get("1:"))));
        // Then
        assertThat(sum.pairs()).isEqualTo(3);
        assertThat(sum.mean()).isCloseTo(golden.get("score").getFloat(), within(1e-5));
    }

    @Test
    void shouldRefuseAnotherPreprocessingThanClips() throws IOException {
        Files.writeString(folder.resolve("preprocessor_config.json"), "{\"resample\": 2}");
        assertThatThrownBy(() -> ClipImages.read(folder, 32)).hasMessageContaining("'resample' must be 3 but is 2");
    }

    @Test
    void shouldRefuseATextEncoderAlone() {
        Path encoder = Golden.miniSdxl().resolve("text_encoder");
        assertThatThrownBy(() -> ClipModel.load(encoder, scope)).hasMessageContaining("must be of a CLIPModel");
    }

    private Map<String, NDArray> golden(String name) {
        return Golden.tensors(Golden.folder("clip-model").resolve(name + ".safetensors"), scope);
    }

    /** With the tokenizer, which is that of the mini SDXL. */
    private Path modelFolder(String name) throws IOException {
        Path model = Golden.folder("clip-model").resolve(name);
        for (String file : List.of("config.json", "model.safetensors", "preprocessor_config.json")) {
            Files.copy(model.resolve(file), folder.resolve(file));
        }
        for (String file : List.of("vocab.json", "merges.txt", "tokenizer_config.json")) {
            Path tokenizer = Golden.miniSdxl().resolve("tokenizer").resolve(file);
            Files.copy(tokenizer, folder.resolve(file));
        }
        return folder;
    }
}
