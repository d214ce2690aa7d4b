package dev.distillery.diffusion.vae;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.StreamSupport;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

/**
 * An auto-encoder's {@code config.json}.
 *
 * @param channels of each level, from the outermost inwards
 * @param scalingFactor what makes latents of unit variance: networks see {@code latents * scalingFactor}
 */
public record VaeConfig(
        int imageChannels,
        int latentChannels,
        List<Integer> channels,
        int layersPerBlock,
        int groups,
        boolean midAttention,
        boolean quantConv,
        boolean postQuantConv,
        double scalingFactor) {

    /** @throws IllegalArgumentException naming file, key and value of what this model does not support */
    public static VaeConfig read(Path folder) {
        Path file = folder.resolve("config.json");
        try {
            return of(file.toString(), Files.readAllBytes(file));
        } catch (IOException e) {
            throw new IllegalArgumentException(file + " cannot be read: " + e.getMessage(), e);
        }
    }

    /**
     * As {@link #read}.
     *
     * @param file for messages
     * @param content of {@code config.json}
     */
    public static VaeConfig of(String file, byte[] content) throws IOException {
        return of(file, new ObjectMapper().readTree(content));
    }

    /**
     * As {@link #read}.
     *
     * @param file for messages
     */
    public static VaeConfig of(String file, JsonNode json) {
        for (String unused : List.of("shift_factor", "latents_mean", "latents_std")) {
            if (json.hasNonNull(unused)) {
                throw new IllegalArgumentException(file + ": '" + unused + "' must be null but is " + json.get(unused));
            }
        }
        blocks(file, json, "down_block_types", "DownEncoderBlock2D");
        blocks(file, json, "up_block_types", "UpDecoderBlock2D");
        return new VaeConfig(
                json.path("in_channels").asInt(3),
                json.path("latent_channels").asInt(4),
                StreamSupport.stream(json.path("block_out_channels").spliterator(), false)
                        .map(JsonNode::asInt)
                        .toList(),
                json.path("layers_per_block").asInt(1),
                json.path("norm_num_groups").asInt(32),
                json.path("mid_block_add_attention").asBoolean(true),
                json.path("use_quant_conv").asBoolean(true),
                json.path("use_post_quant_conv").asBoolean(true),
                json.path("scaling_factor").asDouble(0.18215));
    }

    private static void blocks(String file, JsonNode json, String key, String supported) {
        json.path(key).forEach(type -> {
            if (!type.asText().equals(supported)) {
                throw new IllegalArgumentException(file + ": '" + key + "' must be " + supported + " but has " + type);
            }
        });
    }

    /** How many pixels a latent is wide and high. */
    public int scale() {
        return 1 << (channels.size() - 1);
    }
}
