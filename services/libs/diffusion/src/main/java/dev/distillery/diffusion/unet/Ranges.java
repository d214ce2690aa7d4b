package dev.distillery.diffusion.unet;

import java.util.Map;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * Sizes that a U-Net's configuration may have: far more than any model's, far less than what would take all memory or overflow
 * before a single weight was read.
 */
final class Ranges {
    private static final int MOST_LEVELS = 8;
    private static final int WIDTH = 1 << 16;
    private static final int LAYERS = 64;

    private record Range(int least, int most) {}

    private static final Map<String, Range> RANGES = Map.ofEntries(
            Map.entry("in_channels", new Range(1, WIDTH)),
            Map.entry("out_channels", new Range(1, WIDTH)),
            Map.entry("block_out_channels", new Range(1, WIDTH)),
            Map.entry("attention_head_dim", new Range(1, WIDTH)),
            Map.entry("cross_attention_dim", new Range(1, WIDTH)),
            Map.entry("addition_time_embed_dim", new Range(1, WIDTH)),
            Map.entry("projection_class_embeddings_input_dim", new Range(1, WIDTH)),
            Map.entry("norm_num_groups", new Range(1, WIDTH)),
            Map.entry("layers_per_block", new Range(1, LAYERS)),
            Map.entry("transformer_layers_per_block", new Range(0, LAYERS)),
            Map.entry("reverse_transformer_layers_per_block", new Range(0, LAYERS)));

    private Ranges() {}

    /** @throws IllegalArgumentException naming the first setting that is out of its range */
    static void check(JsonNode config) {
        int levels = config.path("block_out_channels").size();
        if (levels > MOST_LEVELS) {
            throw new IllegalArgumentException("U-Net config: 'block_out_channels' must be of at most " + MOST_LEVELS
                    + " levels but is of " + levels);
        }
        RANGES.forEach((key, range) -> check(key, config.path(key), range));
    }

    /** A number, or lists of them; what is absent has its default. */
    private static void check(String key, JsonNode value, Range range) {
        if (value.isMissingNode() || value.isNull()) {
            return;
        }
        if (value.isArray()) {
            value.forEach(one -> check(key, one, range));
        } else if (!isWhole(value) || value.asInt() < range.least || value.asInt() > range.most) {
            throw new IllegalArgumentException("U-Net config: '" + key + "' must be from " + range.least + " to "
                    + range.most + " but is " + value);
        }
    }

    private static boolean isWhole(JsonNode value) {
        return value.isIntegralNumber() && value.canConvertToInt();
    }
}
