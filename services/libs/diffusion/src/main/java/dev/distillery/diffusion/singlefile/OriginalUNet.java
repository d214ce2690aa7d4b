package dev.distillery.diffusion.singlefile;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import dev.distillery.diffusion.unet.UNetConfig;

/**
 * A U-Net's keys. The original code numbers layers through all blocks, in {@code input_blocks} and {@code output_blocks};
 * the rule is ComfyUI's, which is right for any number of layers a block (that of diffusers' script is for two only).
 *
 * @see <a href="https://github.com/Comfy-Org/ComfyUI/blob/a125cd84b054a57729b5eecab930ca9408719832/comfy/utils.py#L265">ComfyUI's unet_to_diffusers</a>
 */
final class OriginalUNet {
    static final String PREFIX = "model.diffusion_model.";

    private static final Map<String, String> OUTSIDE = Map.of(
            "time_embedding.linear_1", "time_embed.0",
            "time_embedding.linear_2", "time_embed.2",
            "add_embedding.linear_1", "label_emb.0.0",
            "add_embedding.linear_2", "label_emb.0.2",
            "conv_in", "input_blocks.0.0",
            "conv_norm_out", "out.0",
            "conv_out", "out.2");

    private static final Map<String, String> RESNET = Map.of(
            "norm1", "in_layers.0",
            "conv1", "in_layers.2",
            "time_emb_proj", "emb_layers.1",
            "norm2", "out_layers.0",
            "conv2", "out_layers.3",
            "conv_shortcut", "skip_connection");

    private static final Pattern LAYER = Pattern.compile(
            "((?:(?:down|up)_blocks\\.\\d+|mid_block)\\.(?:resnets|attentions|downsamplers|upsamplers)\\.\\d+)\\.(.*)");

    private OriginalUNet() {}

    /** Every key of such a U-Net in {@code keys}, in their order. */
    static List<OriginalTensor> tensors(UNetConfig config, Set<String> keys) {
        Map<String, String> layers = layers(config);
        List<OriginalTensor> tensors = new ArrayList<>();
        for (String key : keys) {
            tensors.add(OriginalTensor.same(PREFIX + name(key, layers), key));
        }
        return tensors;
    }

    /** The original code's name of each of these parameters, without the prefix that a whole model has. */
    static Map<String, String> names(UNetConfig config, Set<String> keys) {
        Map<String, String> layers = layers(config);
        Map<String, String> names = new LinkedHashMap<>();
        keys.forEach(key -> names.put(key, name(key, layers)));
        return names;
    }

    private static String name(String key, Map<String, String> layers) {
        Matcher layer = LAYER.matcher(key);
        if (layer.matches() && layers.containsKey(layer.group(1))) {
            String inner = layer.group(2);
            return layers.get(layer.group(1))
                    + (layer.group(1).contains(".resnets.")
                            ? renamed(inner, RESNET)
                            : inner.replaceFirst("^conv\\.", layer.group(1).startsWith("down") ? "op." : "conv."));
        }
        return renamed(key, OUTSIDE);
    }

    /** The part before the last dot by its other name. */
    private static String renamed(String key, Map<String, String> names) {
        int dot = key.lastIndexOf('.');
        String name = names.get(key.substring(0, Math.max(0, dot)));
        if (name == null) {
            throw new IllegalArgumentException("The original code has no place for '" + key + "' of a U-Net");
        }
        return name + key.substring(dot);
    }

    /** Where each resnet, transformer and sampler is. */
    private static Map<String, String> layers(UNetConfig config) {
        Map<String, String> places = new LinkedHashMap<>();
        int n = 1; // input block 0 is the first convolution
        for (int block = 0; block < config.levels(); block++) {
            for (int layer = 0; layer < config.down().get(block).layers(); layer++) {
                places.put("down_blocks." + block + ".resnets." + layer, "input_blocks." + n + ".0.");
                places.put("down_blocks." + block + ".attentions." + layer, "input_blocks." + n + ".1.");
                n++;
            }
            if (block < config.levels() - 1) {
                places.put("down_blocks." + block + ".downsamplers.0", "input_blocks." + n++ + ".0.");
            }
        }
        places.put("mid_block.resnets.0", "middle_block.0.");
        places.put("mid_block.attentions.0", "middle_block.1.");
        places.put("mid_block.resnets.1", "middle_block.2.");
        n = 0;
        for (int block = 0; block < config.levels(); block++) {
            UNetConfig.Level level = config.up().get(block);
            for (int layer = 0; layer < level.layers(); layer++) {
                places.put("up_blocks." + block + ".resnets." + layer, "output_blocks." + n + ".0.");
                places.put("up_blocks." + block + ".attentions." + layer, "output_blocks." + n + ".1.");
                n++;
            }
            boolean attention = level.depths().get(level.layers() - 1) > 0;
            places.put(
                    "up_blocks." + block + ".upsamplers.0", "output_blocks." + (n - 1) + (attention ? ".2." : ".1."));
        }
        return places;
    }
}
