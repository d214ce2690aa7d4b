package dev.distillery.diffusion.singlefile;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.diffusion.distill.Families;
import dev.distillery.diffusion.safetensors.TensorInfo;
import dev.distillery.diffusion.unet.TransformerDepths;
import dev.distillery.diffusion.unet.UNetConfig.MidKind;

/**
 * A U-Net's {@code config.json}, told from the original code's keys and shapes. They tell all but the heads of attention, for
 * which the original models' rule is taken: 8 in SD v1, one for each 64 channels in SD v2 and SDXL.
 *
 * @see <a href="https://github.com/Comfy-Org/ComfyUI/blob/a125cd84b054a57729b5eecab930ca9408719832/comfy/model_detection.py#L38">
 *     ComfyUI's detect_unet_config</a>
 */
final class UNetStructure {
    private static final int CHANNELS_OF_A_HEAD = 64;
    private static final int HEADS_OF_SD1 = 8;

    /** A level's width, and the transformer blocks after each of its resnets. */
    private record Block(int channels, List<Integer> depths) {
        boolean attention() {
            return depths.stream().anyMatch(depth -> depth > 0);
        }
    }

    private final Map<String, TensorInfo> tensors;

    private UNetStructure(Map<String, TensorInfo> tensors) {
        this.tensors = tensors;
    }

    /**
     * @param tensors of the whole file
     * @param pooledWidth of SDXL's second text encoder
     * @throws IllegalArgumentException if it is no U-Net that diffusers' config can describe
     */
    static ObjectNode config(Map<String, TensorInfo> tensors, OptionalLong pooledWidth) {
        return new UNetStructure(tensors).config(pooledWidth);
    }

    private ObjectNode config(OptionalLong pooledWidth) {
        List<Block> down = down();
        List<Block> up = up();
        int levels = down.size();
        for (int i = 0; i < levels; i++) {
            if (up.size() != levels
                    || up.get(i).depths.size()
                            != down.get(levels - 1 - i).depths.size() + 1) {
                throw new IllegalArgumentException("has a U-Net of " + layers(down) + " layers down and " + layers(up)
                        + " up, where a level must have one more up than down");
            }
        }
        boolean linear = tensorAfter("proj_in.weight").shape().length == 2;
        boolean textTime = has("label_emb.0.0.weight");
        String family = textTime ? "sdxl" : linear ? "sd2" : "sd1";
        ObjectNode json = Families.unet(family).json().deepCopy();
        json.put("out_channels", shape("out.2.weight")[0]);
        json.put("cross_attention_dim", tensorAfter("attn2.to_k.weight").shape()[1]);
        list(json, "block_out_channels", down.stream().map(Block::channels).toList());
        types(json, "down_block_types", down, "DownBlock2D", "CrossAttnDownBlock2D");
        types(json, "up_block_types", up, "UpBlock2D", "CrossAttnUpBlock2D");
        List<Integer> layers = layers(down);
        if (layers.stream().distinct().count() == 1) {
            json.put("layers_per_block", layers.get(0));
        } else {
            list(json, "layers_per_block", layers);
        }
        heads(json, family, down);
        mid(json, down, up);
        if (textTime) {
            long width = shape("label_emb.0.0.weight")[1];
            json.put("projection_class_embeddings_input_dim", width);
            pooledWidth.ifPresent(pooled -> json.put("addition_time_embed_dim", (width - pooled) / 6));
        }
        return json;
    }

    private List<Block> down() {
        var blocks = new ArrayList<Block>();
        var depths = new ArrayList<Integer>();
        int channels = 0;
        for (int n = 1; has("input_blocks." + n + ".0.op.weight") || isResnet("input_blocks." + n + ".0."); n++) {
            if (has("input_blocks." + n + ".0.op.weight")) {
                blocks.add(new Block(channels, List.copyOf(depths)));
                depths.clear();
            } else {
                channels = channels("input_blocks." + n + ".0.");
                depths.add(depth("input_blocks." + n + ".1."));
            }
        }
        blocks.add(new Block(channels, List.copyOf(depths)));
        return blocks;
    }

    private List<Block> up() {
        var blocks = new ArrayList<Block>();
        var depths = new ArrayList<Integer>();
        int channels = 0;
        for (int n = 0; isResnet("output_blocks." + n + ".0."); n++) {
            String at = "output_blocks." + n + ".";
            channels = channels(at + "0.");
            depths.add(depth(at + "1."));
            if (has(at + "1.conv.weight") || has(at + "2.conv.weight")) {
                blocks.add(new Block(channels, List.copyOf(depths)));
                depths.clear();
            }
        }
        blocks.add(new Block(channels, List.copyOf(depths)));
        return blocks;
    }

    /** Its depth is the innermost level's; where that has no attention, the level's unused number is the mid block's. */
    private void mid(ObjectNode json, List<Block> down, List<Block> up) {
        int mid = depth("middle_block.1.");
        MidKind kind = !isResnet("middle_block.0.")
                ? MidKind.NONE
                : has("middle_block.1.norm.weight") ? MidKind.CROSS_ATTENTION : MidKind.RESNET;
        json.put("mid_block_type", kind.type());
        List<List<Integer>> depths = down.stream().map(Block::depths).toList();
        List<List<Integer>> depthsUp = up.stream().map(Block::depths).toList();
        boolean plain = Stream.concat(depths.stream(), depthsUp.stream())
                .allMatch(level -> level.stream().distinct().count() == 1 && level.get(0) <= 1);
        json.remove("transformer_layers_per_block");
        if (!plain || mid > 1) {
            int innermost = down.size() - 1;
            TransformerDepths.write(json, depths, depthsUp, level -> level == innermost ? Math.max(1, mid) : 1);
        }
    }

    private static void heads(ObjectNode json, String family, List<Block> down) {
        if (family.equals("sd1")) {
            json.put("attention_head_dim", HEADS_OF_SD1);
            return;
        }
        for (Block block : down) {
            if (block.attention() && block.channels % CHANNELS_OF_A_HEAD != 0) {
                throw new IllegalArgumentException("does not tell how many heads its attention has at a width of "
                        + block.channels
                        + " (one for each 64 channels in SDXL and SD v2): put the model's unet/config.json"
                        + " beside the file");
            }
        }
        list(
                json,
                "attention_head_dim",
                down.stream()
                        .map(block -> Math.max(1, block.channels / CHANNELS_OF_A_HEAD))
                        .toList());
    }

    private static void types(ObjectNode json, String key, List<Block> blocks, String plain, String attention) {
        ArrayNode types = json.putArray(key);
        blocks.forEach(block -> types.add(block.attention() ? attention : plain));
    }

    private static void list(ObjectNode json, String key, List<Integer> numbers) {
        numbers.forEach(json.putArray(key)::add);
    }

    private static List<Integer> layers(List<Block> blocks) {
        return blocks.stream().map(block -> block.depths.size()).toList();
    }

    private boolean isResnet(String at) {
        return has(at + "out_layers.3.weight");
    }

    private int channels(String at) {
        return Math.toIntExact(shape(at + "out_layers.3.weight")[0]);
    }

    private int depth(String at) {
        int depth = 0;
        while (has(at + "transformer_blocks." + depth + ".norm1.weight")) {
            depth++;
        }
        return depth;
    }

    private boolean has(String key) {
        return tensors.containsKey(OriginalUNet.PREFIX + key);
    }

    private long[] shape(String key) {
        TensorInfo tensor = tensors.get(OriginalUNet.PREFIX + key);
        if (tensor == null || tensor.shape().length == 0) {
            throw new IllegalArgumentException("has no " + OriginalUNet.PREFIX + key);
        }
        return tensor.shape();
    }

    /** Of whichever transformer. */
    private TensorInfo tensorAfter(String end) {
        return tensors.values().stream()
                .filter(t ->
                        t.name().startsWith(OriginalUNet.PREFIX) && t.name().endsWith("." + end))
                .filter(t -> t.shape().length >= 2)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "has a U-Net without cross-attention to the prompt (no " + end + ")"));
    }
}
