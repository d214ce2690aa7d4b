package dev.distillery.dataingest.teacher;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

import dev.distillery.dataingest.source.LocalTree;
import dev.distillery.dataingest.source.SourceException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

class TeacherFilesTest {
    private static final Path MINI_SDXL = Path.of("../../deploy/examples/mini-sdxl");

    @TempDir
    Path folder;

    @TempDir
    Path other;

    private final List<SourceException> problems = new ArrayList<>();

    @BeforeEach
    void copyTheTeacherWithEmptyWeights() throws IOException {
        try (Stream<Path> files = Files.walk(MINI_SDXL)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path copy = folder.resolve(MINI_SDXL.relativize(file));
                Files.createDirectories(copy.getParent());
                if (file.toString().endsWith(".safetensors")) {
                    Files.createFile(copy);
                } else {
                    Files.copy(file, copy);
                }
            }
        }
    }

    @Test
    void shouldTakeTheComponentsAndTheTermsAndNothingElse() throws IOException {
        // Given
        Files.writeString(folder.resolve("LICENSE.md"), "terms");
        Files.writeString(folder.resolve("unet/LICENSE"), "terms");

        // When
        TeacherFiles teacher = find(null);

        // Then
        assertThat(problems).isEmpty();
        assertThat(teacher.files())
                .containsKeys(
                        "model_index.json",
                        "unet/diffusion_pytorch_model.safetensors",
                        "text_encoder_2/model.safetensors",
                        "tokenizer_2/merges.txt",
                        "tokenizer/special_tokens_map.json",
                        "README.md",
                        "LICENSE.md")
                .doesNotContainKeys("made-with/1_data.py", "unet/LICENSE");
        assertThat(teacher.pixelMultiple()).isEqualTo(16);
    }

    @Test
    void shouldNameEveryMissingPart() throws IOException {
        // Given
        Files.delete(folder.resolve("model_index.json"));
        Files.delete(folder.resolve("tokenizer_2/merges.txt"));
        Files.delete(folder.resolve("text_encoder/model.safetensors"));
        Files.move(
                folder.resolve("vae/diffusion_pytorch_model.safetensors"),
                folder.resolve("vae/diffusion_pytorch_model.bin"));

        // When
        TeacherFiles teacher = find(null);

        // Then
        assertThat(teacher).isNull();
        assertThat(problems).extracting(SourceException::field).containsOnly("teacher.model");
        String messages = problems.toString();
        assertThat(messages)
                .contains("has no model_index.json")
                .contains("has no tokenizer_2/merges.txt")
                .contains("has no text_encoder/model.safetensors")
                .contains("pickled weights only (vae/diffusion_pytorch_model.bin)");
        assertThat(problems).hasSize(4);
    }

    @Test
    void shouldNameWhatItDoesNotKnowOfATextEncoder() throws IOException {
        // Given
        Path config = folder.resolve("text_encoder_2/config.json");
        String text = Files.readString(config);
        Files.delete(config); // a link to the example's
        Files.writeString(config, text.replaceFirst("\"hidden_act\": \"[a-z_]+\"", "\"hidden_act\": \"relu\""));

        // Then
        assertThat(find(null)).isNull();
        assertThat(problems).hasSize(1);
        assertThat(problems.toString())
                .contains("text_encoder_2/config.json: 'hidden_act' must be quick_gelu or gelu but is relu");
    }

    @Test
    void shouldTakeShardsByTheirIndex() throws IOException {
        // Given
        Files.delete(folder.resolve("unet/diffusion_pytorch_model.safetensors"));
        Files.createFile(folder.resolve("unet/model-1.safetensors"));
        Files.writeString(
                folder.resolve("unet/diffusion_pytorch_model.safetensors.index.json"),
                "{\"weight_map\": {\"a\": \"model-1.safetensors\", \"b\": \"model-2.safetensors\"}}");

        // When
        find(null);

        // Then
        assertThat(problems).singleElement().asString().contains("has no unet/model-2.safetensors");
    }

    @Test
    void shouldTakeWeightsOfAnyVariantButNotChooseBetweenTwo() throws IOException {
        // Given
        Files.move(
                folder.resolve("unet/diffusion_pytorch_model.safetensors"),
                folder.resolve("unet/diffusion_pytorch_model.bf16.safetensors"));

        // When
        TeacherFiles teacher = find(null);
        Files.createFile(folder.resolve("unet/diffusion_pytorch_model.non_ema.safetensors"));
        List<SourceException> before = List.copyOf(problems);
        find(null);

        // Then
        assertThat(before).isEmpty();
        assertThat(teacher.files()).containsKey("unet/diffusion_pytorch_model.bf16.safetensors");
        assertThat(problems)
                .singleElement()
                .asString()
                .contains(
                        "/unet/: weights of several variants, and none without one: [diffusion_pytorch_model.bf16.safetensors,"
                                + " diffusion_pytorch_model.non_ema.safetensors]");
    }

    @Test
    void shouldReplaceTheAutoEncoder() throws IOException {
        // Given
        Files.copy(folder.resolve("vae/config.json"), other.resolve("config.json"));
        Files.writeString(other.resolve("diffusion_pytorch_model.safetensors"), "other");
        String before = find(null).fingerprint();

        // When
        TeacherFiles teacher = find(other);

        // Then
        assertThat(problems).isEmpty();
        assertThat(teacher.files()
                        .get("vae/diffusion_pytorch_model.safetensors")
                        .tree()
                        .uri())
                .contains(other.toString());
        assertThat(teacher.fingerprint()).isNotEqualTo(before).hasSize(64);
        assertThat(find(null).fingerprint()).isEqualTo(before);
    }

    private TeacherFiles find(Path vae) throws IOException {
        return TeacherFiles.find(new LocalTree(folder), vae == null ? null : new LocalTree(vae), problems);
    }
}
