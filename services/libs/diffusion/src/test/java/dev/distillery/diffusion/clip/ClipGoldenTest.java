package dev.distillery.diffusion.clip;

import java.io.IOException;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.diffusion.Golden;
import dev.distillery.diffusion.tensor.Torch;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** Against transformers 4.55.4; golden values by {@code src/test/python/golden_pipeline.py}. */
class ClipGoldenTest {
    private static final List<String> PROMPTS = List.of("red heart, heart", "", "egypt flag, country flag");

    @Test
    void shouldTokenizeOddStringsAsTransformersDoes() throws IOException {
        // Given
        JsonNode cases = new ObjectMapper()
                .readTree(Files.readAllBytes(Golden.folder("pipeline").resolve("prompts.json")));
        try (ClipTokenizer first = ClipTokenizer.load(Golden.miniSdxl().resolve("tokenizer"));
                ClipTokenizer second = ClipTokenizer.load(Golden.miniSdxl().resolve("tokenizer_2"))) {
            // Then
            assertThat(cases).hasSize(200).allSatisfy(odd -> {
                String text = odd.get("text").asText();
                assertThat(first.encode(text)).isEqualTo(padded(odd.get("ids"), 49407));
                assertThat(second.encode(text)).isEqualTo(padded(odd.get("ids_2"), 0));
            });
            // the second pads with "!", which is then a special token wherever it stands
            assertThat(cases).anySatisfy(odd -> assertThat(odd.get("ids")).isNotEqualTo(odd.get("ids_2")));
        }
    }

    private static long[] padded(JsonNode ids, long pad) {
        long[] padded = new long[77];
        Arrays.fill(padded, pad);
        for (int i = 0; i < ids.size(); i++) {
            padded[i] = ids.get(i).asLong();
        }
        return padded;
    }

    @Test
    void shouldEncodePromptsAsDiffusersDoesForSdxl() {
        try (NDManager scope = Torch.newManager();
                PromptEncoder encoder = PromptEncoder.load(Golden.miniSdxl(), scope)) {
            // Given
            Map<String, NDArray> golden =
                    Golden.tensors(Golden.folder("pipeline").resolve("encoders.safetensors"), scope);
            // When
            PromptEncoder.Prompts prompts = encoder.encode(PROMPTS, scope);
            // Then
            Golden.assertClose("prompt_embeds", prompts.promptEmbeds(), golden.get("promptEmbeds"));
            Golden.assertClose("pooled", prompts.pooled(), golden.get("pooled"));
        }
    }

    @Test
    void shouldNormaliseTheLastStateForStableDiffusion() {
        try (NDManager scope = Torch.newManager();
                ClipTokenizer tokenizer = ClipTokenizer.load(Golden.miniSdxl().resolve("tokenizer"))) {
            // Given
            ClipTextEncoder encoder = ClipTextEncoder.load(Golden.miniSdxl().resolve("text_encoder"), scope);
            Map<String, NDArray> golden =
                    Golden.tensors(Golden.folder("pipeline").resolve("encoders.safetensors"), scope);
            long[] ids = PROMPTS.stream()
                    .flatMapToLong(prompt -> Arrays.stream(tokenizer.encode(prompt)))
                    .toArray();
            // When
            NDArray last = encoder.encode(scope.create(ids, new Shape(3, 77))).last();
            // Then
            Golden.assertClose("last_hidden_state", last, golden.get("last"));
        }
    }
}
