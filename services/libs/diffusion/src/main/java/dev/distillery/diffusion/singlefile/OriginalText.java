package dev.distillery.diffusion.singlefile;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A text encoder's keys: CLIP's are transformers' own, OpenCLIP's (SDXL's second, SD v2's) join the projections of attention.
 *
 * @param folder of the pipeline
 * @param prefix in the single file
 * @param openClip whether the original is OpenCLIP's
 * @see <a href="https://github.com/huggingface/diffusers/blob/v0.35.1/scripts/convert_diffusers_to_original_sdxl.py#L200">
 *     diffusers' convert_openclip_text_enc_state_dict</a>
 */
record OriginalText(String folder, String prefix, boolean openClip) {
    private static final Map<String, String> PARTS = new LinkedHashMap<>();

    static {
        PARTS.put("^text_model\\.encoder\\.layers\\.", "transformer.resblocks.");
        PARTS.put("^text_model\\.embeddings\\.token_embedding\\.", "token_embedding.");
        PARTS.put("^text_model\\.embeddings\\.position_embedding\\.weight", "positional_embedding");
        PARTS.put("^text_model\\.final_layer_norm\\.", "ln_final.");
        PARTS.put("^text_projection\\.weight", "text_projection");
        PARTS.put("\\.layer_norm1\\.", ".ln_1.");
        PARTS.put("\\.layer_norm2\\.", ".ln_2.");
        PARTS.put("\\.mlp\\.fc1\\.", ".mlp.c_fc.");
        PARTS.put("\\.mlp\\.fc2\\.", ".mlp.c_proj.");
        PARTS.put("\\.self_attn\\.out_proj\\.", ".attn.out_proj.");
        PARTS.put("\\.self_attn\\.q_proj\\.(weight|bias)", ".attn.in_proj_$1");
    }

    /** Those of a family. */
    static List<OriginalText> of(String family) {
        return switch (family) {
            case "sdxl" ->
                List.of(
                        new OriginalText("text_encoder", "conditioner.embedders.0.transformer.", false),
                        new OriginalText("text_encoder_2", "conditioner.embedders.1.model.", true));
            case "sd2" -> List.of(new OriginalText("text_encoder", "cond_stage_model.model.", true));
            default -> List.of(new OriginalText("text_encoder", "cond_stage_model.transformer.", false));
        };
    }

    List<OriginalTensor> tensors(Set<String> keys) {
        return openClip
                ? joined(keys)
                : keys.stream()
                        .map(key -> OriginalTensor.same(prefix + key, key))
                        .toList();
    }

    private List<OriginalTensor> joined(Set<String> keys) {
        List<OriginalTensor> tensors = new ArrayList<>();
        for (String key : keys) {
            if (key.contains(".k_proj.") || key.contains(".v_proj.") || key.endsWith(".position_ids")) {
                continue; // joined to q_proj; a buffer that OpenCLIP has not
            }
            String name = key;
            for (Map.Entry<String, String> part : PARTS.entrySet()) {
                name = name.replaceFirst(part.getKey(), part.getValue());
            }
            List<String> from = key.contains(".q_proj.")
                    ? Stream.of("q", "k", "v")
                            .map(which -> key.replace(".q_proj.", "." + which + "_proj."))
                            .toList()
                    : List.of(key);
            tensors.add(new OriginalTensor(
                    prefix + name,
                    from,
                    key.equals("text_projection.weight")
                            ? OriginalTensor.Change.TRANSPOSED
                            : OriginalTensor.Change.NONE));
        }
        return tensors;
    }
}
