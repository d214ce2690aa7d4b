package dev.distillery.diffusion.safetensors;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;

import dev.distillery.diffusion.safetensors.SavedWeights.Format;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Expected parts are those of huggingface_hub 0.34.4's {@code split_state_dict_into_shards_factory}. */
class SavedWeightsTest {
    @TempDir
    Path dir;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "6 6 2 6 2 2 | a; b c; d e f", // as its documentation has it
                "3 20 3 3 | b; a c d", // what fits in none comes before the shard that is open
                "20 20 | a; b",
                "5 5 5 5 | a b; c d",
                "2 2 2 | a b c"
            })
    void shouldPartTensorsAsHuggingFaceDoes(String sizes, String shards) throws IOException {
        // When
        SavedWeights saved = saved(List.of(sizes.trim().split(" ")), Optional.empty());

        // Then
        String index = saved.index().map(String::new).orElse("");
        String[] expected = shards.trim().split("; ");
        assertThat(saved.files()).hasSize(expected.length);
        for (int i = 0; i < expected.length && expected.length > 1; i++) {
            for (String tensor : expected[i].split(" ")) {
                assertThat(index)
                        .contains("\"" + tensor + "\": \"model-0000" + (i + 1) + "-of-0000" + expected.length
                                + ".safetensors\"");
            }
        }
    }

    @Test
    void shouldWriteVariantsThatAreFoundAgain() throws IOException {
        // Given
        SavedWeights saved = saved(List.of("5", "6"), Optional.of("ema"));
        Path folder = Files.createDirectories(dir.resolve("saved"));

        // When
        for (String file : saved.files()) {
            saved.write(file, open(folder.resolve(file)));
        }
        Files.write(folder.resolve(saved.indexName()), saved.index().orElseThrow());

        // Then
        assertThat(new String(saved.index().orElseThrow(), StandardCharsets.UTF_8))
                .isEqualTo(
                        """
                        {
                          "metadata": {
                            "total_size": 22
                          },
                          "weight_map": {
                            "a": "model.ema-00001-of-00002.safetensors",
                            "b": "model.ema-00002-of-00002.safetensors"
                          }
                        }
                        """);
        assertThat(saved.indexName()).isEqualTo("model.safetensors.index.ema.json");
        try (SafetensorsFolder found = SafetensorsFolder.open(folder)) {
            assertThat(found.tensors().keySet()).containsExactly("a", "b");
            assertThat(found.tensors().get("b").dtype()).isEqualTo(DType.F16);
        }
    }

    @Test
    void shouldNotChooseAmongVariantsThatItDoesNotKnow() throws IOException {
        // Given
        Files.createFile(dir.resolve("model.ema.safetensors"));
        Files.createFile(dir.resolve("model.mine.safetensors"));

        // When
        assertThatThrownBy(() -> SafetensorsFolder.open(dir))
                // Then
                .isInstanceOf(SafetensorsException.class)
                .hasMessageContaining("several variants")
                .hasMessageContaining("model.mine.safetensors");
    }

    /** Of tensors a, b, ... of so many halves, in files of at most 20 bytes. */
    private SavedWeights saved(List<String> sizes, Optional<String> variant) throws IOException {
        var plan = new SafetensorsWriter.Plan();
        for (int i = 0; i < sizes.size(); i++) {
            plan.add(String.valueOf((char) ('a' + i)), DType.F32, Long.parseLong(sizes.get(i)));
        }
        Path from = Files.createDirectories(dir.resolve("from"));
        try (var writer = new SafetensorsWriter(open(from.resolve("model.safetensors")), plan)) {
            for (TensorInfo tensor : plan.tensors()) {
                writer.write(tensor.name(), ByteBuffer.allocate((int) tensor.bytes()));
            }
        }
        SafetensorsFolder weights = SafetensorsFolder.open(from);
        return new SavedWeights(weights, weights.tensors().keySet(), "model", new Format(DType.F16, variant, 20));
    }

    private static FileChannel open(Path file) throws IOException {
        return FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    }
}
