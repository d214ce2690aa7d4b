package dev.distillery.diffusion.clip;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * The {@code vision_config} of a CLIP model's {@code config.json}.
 *
 * @param imagePx height and width of what it sees
 * @param patchPx of the squares that become tokens
 */
record ClipVisionConfig(ClipLayer.Shape shape, int layers, int imagePx, int patchPx) {

    /**
     * @param file for messages
     * @throws IllegalArgumentException naming file, key and value of what this model does not support
     */
    static ClipVisionConfig of(String file, JsonNode json) {
        String activation = json.path("hidden_act").asText("quick_gelu");
        if (!activation.equals("quick_gelu") && !activation.equals("gelu")) {
            throw new IllegalArgumentException(
                    file + ": 'vision_config.hidden_act' must be quick_gelu or gelu but is " + activation);
        }
        if (json.path("num_channels").asInt(3) != 3) {
            throw new IllegalArgumentException(
                    file + ": 'vision_config.num_channels' must be 3 but is " + json.path("num_channels"));
        }
        var shape = new ClipLayer.Shape(
                json.path("hidden_size").asInt(768),
                json.path("intermediate_size").asInt(3072),
                json.path("num_attention_heads").asInt(12),
                activation.equals("quick_gelu"),
                json.path("layer_norm_eps").asDouble(1e-5));
        return new ClipVisionConfig(
                shape,
                json.path("num_hidden_layers").asInt(12),
                json.path("image_size").asInt(224),
                json.path("patch_size").asInt(32));
    }

    /** The class token and the patches. */
    int positions() {
        int side = imagePx / patchPx;
        return 1 + side * side;
    }
}
