package dev.distillery.diffusion.unet;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** What diffusers 0.35.1 writes about a U-Net when it saves it. */
public final class SavedUNet {
    /** PyTorch lists a module's parts in the order in which its constructor names them first. */
    private static final List<String> PARTS = List.of(
            "conv_in",
            "time_embedding",
            "add_embedding",
            "down_blocks",
            "up_blocks",
            "mid_block",
            "conv_norm_out",
            "conv_out");

    private static final List<String> PARTS_OF_BLOCKS = List.of("attentions", "resnets", "downsamplers", "upsamplers");

    private SavedUNet() {}

    /**
     * Its {@code config.json}: every setting of {@code UNet2DConditionModel}, those that the config does not tell by their
     * defaults, by name. What is none of them, such as where a teacher was loaded from, is left out.
     *
     * @see <a href="https://github.com/huggingface/diffusers/blob/v0.35.1/src/diffusers/models/unets/unet_2d_condition.py#L169">
     *     the defaults</a>
     */
    public static ObjectNode config(UNetConfig config) {
        var settings = new TreeMap<String, JsonNode>();
        try (InputStream json = SavedUNet.class.getResourceAsStream("defaults.json")) {
            new ObjectMapper().readTree(json).fields().forEachRemaining(setting -> {
                JsonNode own = config.json().get(setting.getKey());
                settings.put(
                        setting.getKey(), own == null || setting.getKey().startsWith("_") ? setting.getValue() : own);
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        ObjectNode saved = JsonNodeFactory.instance.objectNode();
        settings.forEach(saved::set);
        return saved;
    }

    /** The keys of its {@code state_dict()}, in that order, which decides what shards hold. */
    public static List<String> keys(UNetConfig config) {
        return UNet2DCondition.parameterShapes(config).keySet().stream()
                .sorted(Comparator.comparing(SavedUNet::place, Arrays::compare))
                .toList();
    }

    /** Part, block, part of the block, layer; parameters of the same layer keep their order. */
    private static int[] place(String key) {
        String[] names = key.split("\\.");
        int part = PARTS.indexOf(names[0]);
        return switch (names[0]) {
            case "down_blocks", "up_blocks" ->
                new int[] {
                    part, Integer.parseInt(names[1]), PARTS_OF_BLOCKS.indexOf(names[2]), Integer.parseInt(names[3])
                };
            case "mid_block" -> new int[] {part, 0, PARTS_OF_BLOCKS.indexOf(names[1]), Integer.parseInt(names[2])};
            default -> new int[] {part};
        };
    }
}
