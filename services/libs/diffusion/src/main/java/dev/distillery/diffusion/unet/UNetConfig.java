package dev.distillery.diffusion.unet;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * A U-Net's {@code config.json}, read once into what the model needs; {@link #json} keeps the file for writing it again.
 *
 * @param down levels from the outermost inwards
 * @param up levels from the innermost outwards
 * @param crossAttentionDim D, the width of the prompt embeddings
 * @param linearProjection whether a transformer's projections are linear layers (SDXL, SD v2) or 1x1 convolutions (SD v1)
 * @param textTime SDXL's additional embedding, absent in SD v1/v2
 * @see <a href="https://github.com/huggingface/diffusers/blob/v0.35.1/src/diffusers/models/unets/unet_2d_condition.py#L169">
 *     UNet2DConditionModel.__init__</a>
 */
public record UNetConfig(
        ObjectNode json,
        int inChannels,
        int outChannels,
        List<Level> down,
        Mid mid,
        List<Level> up,
        int crossAttentionDim,
        boolean linearProjection,
        Optional<TextTime> textTime,
        int groups,
        double eps) {

    /**
     * @param heads attention heads (diffusers calls this number {@code attention_head_dim})
     * @param depths transformer blocks after each resnet; 0: no attention there
     */
    public record Level(int channels, int heads, List<Integer> depths) {
        public int layers() {
            return depths.size();
        }
    }

    /** The mid block: two resnets around a transformer of {@code depth}, one resnet ({@code depth} 0), or nothing. */
    public enum MidKind {
        CROSS_ATTENTION("UNetMidBlock2DCrossAttn"),
        RESNET("UNetMidBlock2D"),
        NONE(null);

        private final String type;

        MidKind(String type) {
            this.type = type;
        }

        /** The value of {@code mid_block_type}; null when there is no mid block. */
        public String type() {
            return type;
        }
    }

    public record Mid(MidKind kind, int depth) {}

    /**
     * @param timeWidth width of the sinusoids of each of the six {@code time_ids}
     * @param inputWidth pooled text embedding and all sinusoids together
     */
    public record TextTime(int timeWidth, int inputWidth) {
        public int pooledWidth() {
            return inputWidth - 6 * timeWidth;
        }
    }

    private static final ObjectMapper JSON = new ObjectMapper();

    /** Settings that this model does not have, with the values that mean "not used"; absent or null is fine too. */
    private static final Map<String, Set<String>> FIXED = Map.ofEntries(
            Map.entry("act_fn", Set.of("silu", "swish")),
            Map.entry("center_input_sample", Set.of("false")),
            Map.entry("class_embed_type", Set.of()),
            Map.entry("conv_in_kernel", Set.of("3")),
            Map.entry("conv_out_kernel", Set.of("3")),
            Map.entry("downsample_padding", Set.of("1")),
            Map.entry("dual_cross_attention", Set.of("false")),
            Map.entry("encoder_hid_dim", Set.of()),
            Map.entry("flip_sin_to_cos", Set.of("true")),
            Map.entry("freq_shift", Set.of("0")),
            Map.entry("mid_block_scale_factor", Set.of("1", "1.0")),
            Map.entry("num_attention_heads", Set.of()),
            Map.entry("num_class_embeds", Set.of()),
            Map.entry("only_cross_attention", Set.of("false")),
            Map.entry("resnet_out_scale_factor", Set.of("1", "1.0")),
            Map.entry("resnet_skip_time_act", Set.of("false")),
            Map.entry("resnet_time_scale_shift", Set.of("default")),
            Map.entry("time_cond_proj_dim", Set.of()),
            Map.entry("time_embedding_dim", Set.of()),
            Map.entry("time_embedding_type", Set.of("positional")),
            Map.entry("addition_embed_type", Set.of("text_time")));

    /** Reads {@code DIR/config.json}. */
    public static UNetConfig read(Path folder) {
        Path file = folder.resolve("config.json");
        try {
            return of((ObjectNode) JSON.readTree(Files.readAllBytes(file)));
        } catch (IOException | ClassCastException e) {
            throw new IllegalArgumentException(file + " is not a U-Net's config.json: " + e.getMessage(), e);
        }
    }

    /** @throws IllegalArgumentException naming a setting that this model does not support, or that contradicts another */
    public static UNetConfig of(ObjectNode json) {
        FIXED.forEach((key, allowed) -> {
            JsonNode value = json.path(key);
            if (!value.isMissingNode() && !value.isNull() && !allowed.contains(value.asText())) {
                throw new IllegalArgumentException(
                        "U-Net config: '" + key + "' must be absent or one of " + allowed + " but is " + value);
            }
        });
        Ranges.check(json);
        List<Integer> channels = perLevel(
                json, "block_out_channels", json.path("block_out_channels").size());
        int levels = channels.size();
        if (levels == 0) {
            throw new IllegalArgumentException("U-Net config: 'block_out_channels' must be a list of widths");
        }
        List<Integer> heads = perLevel(json, "attention_head_dim", levels);
        List<Integer> layers = perLevel(json, "layers_per_block", levels);
        JsonNode depth = json.path("transformer_layers_per_block");
        JsonNode reverse = json.path("reverse_transformer_layers_per_block");
        var down = new ArrayList<Level>();
        var up = new ArrayList<Level>();
        for (int i = 0; i < levels; i++) {
            boolean attention = blockType(json, "down_block_types", i, "DownBlock2D", "CrossAttnDownBlock2D");
            down.add(new Level(
                    channels.get(i), heads.get(i), depths(attention, at(depth, i), layers.get(i), "down block " + i)));
        }
        for (int i = 0; i < levels; i++) {
            int level = levels - 1 - i;
            boolean attention = blockType(json, "up_block_types", i, "UpBlock2D", "CrossAttnUpBlock2D");
            JsonNode own = reverse.isArray() ? reverse.get(i) : at(depth, level);
            up.add(new Level(
                    channels.get(level),
                    heads.get(level),
                    depths(attention, own, layers.get(level) + 1, "up block " + i)));
        }
        Optional<TextTime> textTime = json.path("addition_embed_type").isTextual()
                ? Optional.of(new TextTime(
                        required(json, "addition_time_embed_dim"),
                        required(json, "projection_class_embeddings_input_dim")))
                : Optional.empty();
        return new UNetConfig(
                json.deepCopy(),
                json.path("in_channels").asInt(4),
                json.path("out_channels").asInt(4),
                List.copyOf(down),
                mid(json, at(depth, levels - 1)),
                List.copyOf(up),
                perLevel(json, "cross_attention_dim", 1).get(0),
                json.path("use_linear_projection").asBoolean(false),
                textTime,
                json.path("norm_num_groups").asInt(32),
                json.path("norm_eps").asDouble(1e-5));
    }

    public int levels() {
        return down.size();
    }

    /** T, the width of the time embedding. */
    public int timeEmbedDim() {
        return down.get(0).channels() * 4;
    }

    private static boolean blockType(JsonNode json, String key, int i, String plain, String attention) {
        String type = json.path(key).path(i).asText("nothing");
        if (!type.equals(plain) && !type.equals(attention)) {
            throw new IllegalArgumentException(
                    "U-Net config: '" + key + "[" + i + "]' must be " + plain + " or " + attention + " but is " + type);
        }
        return type.equals(attention);
    }

    private static Mid mid(JsonNode json, JsonNode depth) {
        JsonNode type = json.path("mid_block_type");
        String name = type.isMissingNode() ? MidKind.CROSS_ATTENTION.type() : type.isNull() ? null : type.asText();
        for (MidKind kind : MidKind.values()) {
            if (java.util.Objects.equals(kind.type(), name)) {
                JsonNode first = depth.isArray() ? depth.path(0) : depth;
                return new Mid(kind, kind == MidKind.CROSS_ATTENTION ? first.asInt(1) : 0);
            }
        }
        throw new IllegalArgumentException(
                "U-Net config: 'mid_block_type' must be UNetMidBlock2DCrossAttn, UNetMidBlock2D or null but is "
                        + type);
    }

    /** An int for every level, or a list of them. */
    private static List<Integer> perLevel(JsonNode json, String key, int levels) {
        JsonNode value = json.path(key);
        if (value.isIntegralNumber()) {
            return Collections.nCopies(levels, value.asInt());
        }
        if (!value.isArray() || value.size() < levels) {
            throw new IllegalArgumentException(
                    "U-Net config: '" + key + "' must be a number or a list of " + levels + " but is " + value);
        }
        return IntStream.range(0, value.size())
                .mapToObj(i -> value.get(i).asInt())
                .toList();
    }

    private static JsonNode at(JsonNode perLevel, int level) {
        return perLevel.isArray() ? perLevel.path(level) : perLevel;
    }

    /** Depth of each layer of one block: 1 when nothing is said, a number for all, or a list. */
    private static List<Integer> depths(boolean attention, JsonNode depth, int layers, String where) {
        if (!attention) {
            return Collections.nCopies(layers, 0);
        }
        if (!depth.isArray()) {
            return Collections.nCopies(layers, depth.asInt(1));
        }
        if (depth.size() != layers) {
            throw new IllegalArgumentException("U-Net config: " + where + " has " + layers
                    + " layers, but its transformer depths are " + depth
                    + " ('reverse_transformer_layers_per_block' gives those of up blocks)");
        }
        return IntStream.range(0, layers).mapToObj(i -> depth.get(i).asInt()).toList();
    }

    private static int required(JsonNode json, String key) {
        if (!json.path(key).isIntegralNumber()) {
            throw new IllegalArgumentException("U-Net config: '" + key + "' must be a number but is " + json.path(key));
        }
        return json.path(key).asInt();
    }
}
