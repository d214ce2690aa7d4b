package dev.distillery.diffusion.singlefile;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import dev.distillery.diffusion.safetensors.TensorInfo;

/**
 * An auto-encoder's keys. The original code counts the decoder's levels from the outside, and its attention has 1x1 kernels.
 *
 * @see <a href="https://github.com/huggingface/diffusers/blob/v0.35.1/scripts/convert_diffusers_to_original_sdxl.py#L100">
 *     diffusers' convert_vae_state_dict</a>
 */
final class OriginalVae {
    static final String PREFIX = "first_stage_model.";

    private static final Pattern UP = Pattern.compile("decoder\\.up_blocks\\.(\\d+)\\.(.*)");

    private static final Pattern DIFFUSERS =
            Pattern.compile("(encoder|decoder)\\.(down_blocks|mid_block|up_blocks)\\..*");

    /** In this order: what comes later sees the text that is left. */
    private static final Map<String, String> PARTS = new LinkedHashMap<>();

    static {
        PARTS.put("\\.down_blocks\\.(\\d+)\\.", ".down.$1.");
        PARTS.put("\\.(down|up)samplers\\.0\\.", ".$1sample.");
        PARTS.put("\\.mid_block\\.resnets\\.0\\.", ".mid.block_1.");
        PARTS.put("\\.mid_block\\.resnets\\.1\\.", ".mid.block_2.");
        PARTS.put("\\.mid_block\\.attentions\\.0\\.", ".mid.attn_1.");
        PARTS.put("\\.resnets\\.", ".block.");
        PARTS.put("\\.conv_norm_out\\.", ".norm_out.");
        PARTS.put("\\.conv_shortcut\\.", ".nin_shortcut.");
        PARTS.put("\\.group_norm\\.", ".norm.");
        PARTS.put("\\.(to_q|query)\\.", ".q.");
        PARTS.put("\\.(to_k|key)\\.", ".k.");
        PARTS.put("\\.(to_v|value)\\.", ".v.");
        PARTS.put("\\.(to_out\\.0|proj_attn)\\.", ".proj_out.");
    }

    private OriginalVae() {}

    /**
     * The tensors by the names that they have in a whole model's file; one with nothing but an auto-encoder has them without
     * the prefix.
     *
     * @throws IllegalArgumentException if they are named as diffusers names them
     */
    static Map<String, TensorInfo> named(Map<String, TensorInfo> tensors) {
        if (tensors.keySet().stream().anyMatch(name -> name.startsWith(PREFIX))) {
            return tensors;
        }
        Map<String, TensorInfo> named = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> {
            if (DIFFUSERS.matcher(name).matches()) {
                throw new IllegalArgumentException(
                        "is the auto-encoder of a diffusers folder: name the folder that it is in");
            }
            named.put(PREFIX + name, tensor);
        });
        return named;
    }

    /** @param shapes by key */
    static List<OriginalTensor> tensors(int levels, Map<String, long[]> shapes) {
        List<OriginalTensor> tensors = new ArrayList<>();
        shapes.forEach((key, shape) -> {
            Matcher up = UP.matcher(key);
            String name = up.matches()
                    ? "decoder.up." + (levels - 1 - Integer.parseInt(up.group(1))) + "." + up.group(2)
                    : key;
            for (Map.Entry<String, String> part : PARTS.entrySet()) {
                name = name.replaceFirst(part.getKey(), part.getValue());
            }
            boolean kernel = shape.length == 2 && name.contains(".attn_1.");
            tensors.add(new OriginalTensor(
                    PREFIX + name,
                    List.of(key),
                    kernel ? OriginalTensor.Change.AS_KERNEL : OriginalTensor.Change.NONE));
        });
        return tensors;
    }
}
