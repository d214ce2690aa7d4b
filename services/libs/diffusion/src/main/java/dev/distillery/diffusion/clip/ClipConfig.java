package dev.distillery.diffusion.clip;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

/**
 * A CLIP text encoder's {@code config.json}.
 *
 * @param projection whether it is a {@code CLIPTextModelWithProjection}
 * @param eosTokenId ends a prompt; 2 in old configs, which then means the highest token of the prompt
 */
public record ClipConfig(
        int vocabulary,
        int width,
        int mlpWidth,
        int heads,
        int layers,
        int positions,
        boolean quickGelu,
        double eps,
        int eosTokenId,
        boolean projection,
        int projectionWidth) {

    /** @throws IllegalArgumentException naming file, key and value of what this model does not support */
    public static ClipConfig read(Path folder) {
        Path file = folder.resolve("config.json");
        try {
            return of(file.toString(), new ObjectMapper().readTree(Files.readAllBytes(file)));
        } catch (IOException e) {
            throw new IllegalArgumentException(file + " cannot be read: " + e.getMessage(), e);
        }
    }

    /**
     * @param file for messages
     * @throws IllegalArgumentException as {@link #read}
     */
    public static ClipConfig of(String file, JsonNode json) {
        String activation = json.path("hidden_act").asText("quick_gelu");
        if (!activation.equals("quick_gelu") && !activation.equals("gelu")) {
            throw new IllegalArgumentException(file + ": 'hidden_act' must be quick_gelu or gelu but is " + activation);
        }
        return new ClipConfig(
                json.path("vocab_size").asInt(49408),
                json.path("hidden_size").asInt(512),
                json.path("intermediate_size").asInt(2048),
                json.path("num_attention_heads").asInt(8),
                json.path("num_hidden_layers").asInt(12),
                json.path("max_position_embeddings").asInt(77),
                activation.equals("quick_gelu"),
                json.path("layer_norm_eps").asDouble(1e-5),
                json.path("eos_token_id").asInt(49407),
                json.path("architectures").path(0).asText().equals("CLIPTextModelWithProjection"),
                json.path("projection_dim").asInt(512));
    }

    ClipLayer.Shape shape() {
        return new ClipLayer.Shape(width, mlpWidth, heads, quickGelu, eps);
    }
}
