package dev.distillery.converter;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.distillery.artifacts.FolderWriter;
import dev.distillery.artifacts.Manifest;
import dev.distillery.diffusion.clip.PromptEncoder;
import dev.distillery.diffusion.lora.SavedLora;
import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.diffusion.tensor.SafetensorsSource;
import dev.distillery.diffusion.tensor.Torch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** A LoRA of text encoders beside that of the U-Net, made by the real peft. */
class LoraConversionTest {
    private static final Path EXAMPLE = Path.of("../../deploy/examples/mini-sdxl");
    private static final Path GOLDEN =
            Path.of("../libs/diffusion/src/test/resources/dev/distillery/diffusion/golden/lora-text");
    private static final List<String> PROMPTS = List.of("", "red apple, food fruit", "yellow heart, heart");

    @TempDir
    Path dir;

    private Path checkpoint;

    @BeforeEach
    void putIntoACheckpoint() throws IOException {
        checkpoint = Files.createDirectory(dir.resolve("checkpoint"));
        Files.copy(EXAMPLE.resolve("unet/config.json"), checkpoint.resolve("config.json"));
        Files.copy(GOLDEN.resolve(SavedLora.FILE), checkpoint.resolve(SavedLora.FILE));
    }

    @Test
    void shouldBringTheTextEncodersBesideTheUnetWhenTheyLearntToo() {
        // When
        Manifest written = convert(EXAMPLE, Set.of("unet"));
        // Then
        assertThat(written.about()).containsEntry("trainedTextEncoders", List.of("text_encoder", "text_encoder_2"));
        assertThat(written.files())
                .extracting(Manifest.FileEntry::name)
                .containsExactlyInAnyOrder(
                        "pytorch_lora_weights.safetensors",
                        "unet/config.json",
                        "unet/diffusion_pytorch_model.safetensors",
                        "text_encoder/config.json",
                        "text_encoder/model.safetensors",
                        "text_encoder_2/config.json",
                        "text_encoder_2/model.safetensors");
        assertEncodesAsPeft(dir.resolve("out"), EXAMPLE);
    }

    @Test
    void shouldPutThemIntoPipelineAndSingleFile() {
        // When
        convert(EXAMPLE, Set.of("pipeline", "single-file"));
        // Then
        Path out = dir.resolve("out");
        assertEncodesAsPeft(out, out);
        String layer = "text_model.encoder.layers.0.self_attn.q_proj.weight";
        try (SafetensorsFile single = SafetensorsFile.open(dir.resolve("out/made.safetensors"));
                SafetensorsFile merged = SafetensorsFile.open(out.resolve("text_encoder/model.safetensors"));
                SafetensorsFile base = SafetensorsFile.open(EXAMPLE.resolve("text_encoder/model.safetensors"))) {
            assertThat(single.data("conditioner.embedders.0.transformer." + layer))
                    .isEqualTo(merged.data(layer))
                    .isNotEqualTo(base.data(layer));
        }
    }

    @Test
    void shouldSayWhatItIsNotFor() throws IOException {
        // Given a model whose text encoders are the other way round
        Path other = Files.createDirectory(dir.resolve("other"));
        for (Map.Entry<String, String> part : Map.of(
                        "unet", "unet", "text_encoder", "text_encoder_2", "text_encoder_2", "text_encoder")
                .entrySet()) {
            Path to = Files.createDirectory(other.resolve(part.getKey()));
            try (var files = Files.list(EXAMPLE.resolve(part.getValue()))) {
                for (Path file : files.toList()) {
                    Files.copy(file, to.resolve(file.getFileName()));
                }
            }
        }
        // Then
        assertThatThrownBy(() -> convert(other, Set.of("unet")))
                .hasMessageContaining("not for the network in " + other.resolve("text_encoder"))
                .hasMessageContaining("self_attn")
                .hasMessageContaining("[64, 64]");
    }

    private Manifest convert(Path teacher, Set<String> save) {
        var options = new Options(save, "fp32", Optional.empty(), Options.MAX_SHARD_SIZE);
        return new Conversion("made", "for the test", checkpoint, teacher, 64)
                .write(options, Map.of(), FolderWriter.of(dir.resolve("out")));
    }

    private static void assertEncodesAsPeft(Path model, Path tokenizers) {
        try (NDManager scope = Torch.newManager();
                SafetensorsFile step = SafetensorsFile.open(GOLDEN.resolve("step.safetensors"));
                PromptEncoder encoder = PromptEncoder.load(model, tokenizers, scope)) {
            Map<String, NDArray> expected = SafetensorsSource.loadAll(step, scope);
            PromptEncoder.Prompts encoded = encoder.encode(PROMPTS, scope);
            assertThat(encoded.promptEmbeds()
                            .sub(expected.get("embeds"))
                            .abs()
                            .max()
                            .getFloat())
                    .isLessThan(1e-4f);
            assertThat(encoded.pooled().sub(expected.get("pooled")).abs().max().getFloat())
                    .isLessThan(1e-4f);
        }
    }
}
