package dev.distillery.diffusion.sample;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.distillery.diffusion.Golden;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.unet.UNet2DCondition;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The whole loop against diffusers' pipelines; golden pictures by {@code src/test/python/golden_pipeline.py}. */
class TextToImageGoldenTest {
    private static final List<String> SDXL =
            List.of("vae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2");
    private static final List<String> PROMPTS = List.of("red heart, heart", "");

    @ParameterizedTest
    @CsvSource({"1, empty, false", "4, empty, false", "4, zeros, true"})
    void shouldDrawTheSamePicturesAsStableDiffusionXLPipeline(int guidance, String name, boolean zeros)
            throws IOException {
        // Given
        Path model = model(
                "{\"force_zeros_for_empty_prompt\": " + zeros + "}",
                SDXL,
                Golden.miniSdxl().resolve("scheduler"));
        assertSame(model, Golden.miniSdxl().resolve("unet"), guidance, "sdxl-" + guidance + "-" + name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"sd1", "sd1-pndm"})
    void shouldDrawTheSamePicturesAsStableDiffusionPipeline(String name) throws IOException {
        // Given
        Path golden = Golden.folder("pipeline");
        Path model = model(
                "{}",
                List.of("vae", "text_encoder", "tokenizer"),
                golden.resolve(name).resolve("scheduler"));
        assertSame(model, golden.resolve("sd1/unet"), 4, name);
    }

    /** A model folder of parts that are elsewhere. */
    private static Path model(String index, List<String> parts, Path scheduler) throws IOException {
        Path folder = Files.createTempDirectory(Path.of("target"), "model");
        for (String part : parts) {
            link(folder.resolve(part), Golden.miniSdxl().resolve(part));
        }
        link(folder.resolve("scheduler"), scheduler);
        Files.writeString(folder.resolve("model_index.json"), index);
        return folder;
    }

    private static void link(Path link, Path to) throws IOException {
        Files.createSymbolicLink(link, to.toAbsolutePath().normalize());
    }

    private static void assertSame(Path model, Path unetFolder, double guidance, String golden) {
        try (NDManager scope = Torch.newManager();
                TextToImage pipeline = TextToImage.load(model)) {
            UNet2DCondition unet = UNet2DCondition.load(unetFolder, scope);
            NDArray expected = Golden.tensors(Golden.folder("pipeline").resolve("images.safetensors"), scope)
                    .get(golden);
            // When
            NDArray image = pipeline.render(unet, new TextToImage.Settings(PROMPTS, 64, 10, guidance, 7), scope);
            // Then
            Golden.assertClose(golden, image, expected);
        }
    }
}
