package dev.distillery.diffusion.singlefile;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

import dev.distillery.diffusion.safetensors.TensorInfo;

/**
 * What people also have in single files, told by the keys that only it has, and what would be right instead.
 *
 * @see <a href="https://github.com/huggingface/diffusers/blob/v0.35.1/src/diffusers/loaders/single_file_utils.py#L62">
 *     diffusers' CHECKPOINT_KEY_NAMES</a>
 */
final class KnownKinds {
    private record Kind(Pattern key, String what) {
        static Kind of(String key, String what) {
            return new Kind(Pattern.compile(key), what);
        }
    }

    private static final String OURS = "; a teacher is Stable Diffusion v1, v2 or XL";

    private static final List<Kind> REFUSED = List.of(
            Kind.of(
                    "lora_.*|.*[._]lora[._](down|up|A|B).*|.*\\.lora_[AB]\\..*",
                    "is a LoRA, which changes a model but is none: merge it into its model and name that"),
            Kind.of("(model\\.diffusion_model\\.)?double_blocks\\..*", "is a Flux model" + OURS),
            Kind.of("(model\\.diffusion_model\\.)?joint_blocks\\..*", "is a Stable Diffusion 3 model" + OURS),
            Kind.of("control_model\\..*|controlnet_.*|input_hint_block\\..*", "is a ControlNet" + OURS),
            Kind.of(
                    "conditioner\\.embedders\\.0\\.model\\..*",
                    "is SDXL's refiner: name its base model, such as sd_xl_base_1.0.safetensors"),
            Kind.of(
                    "edm_mean|edm_vpred\\..*",
                    "has the noise schedule of EDM (Playground v2.5), where a teacher must predict epsilon or v"),
            Kind.of("noise_augmentor\\..*|embedder\\.model\\.visual\\..*", "is Stable unCLIP" + OURS),
            Kind.of(
                    "(down_blocks|mid_block|up_blocks|time_embedding|add_embedding)\\..*",
                    "is one network of a diffusers folder: name the folder that holds all of them"),
            Kind.of(
                    "(input_blocks|middle_block|output_blocks)\\..*",
                    "is a U-Net alone: name a file that also has the auto-encoder and the text encoders"),
            Kind.of(
                    "(encoder|decoder)\\..*",
                    "is an auto-encoder alone: name a file that also has the U-Net and the text encoders"),
            Kind.of("(text_model|transformer\\.resblocks)\\..*", "is a text encoder alone" + OURS));

    private static final Map<Long, String> BY_CHANNELS = Map.of(
            9L, "an inpainting model",
            8L, "an instruct-pix2pix model",
            7L, "an upscaler",
            5L, "a depth-to-image model");

    private KnownKinds() {}

    /** @throws IllegalArgumentException saying what the file is, if it is something else; the message goes on after its name */
    static void check(Map<String, TensorInfo> tensors) {
        TensorInfo first = tensors.get(OriginalUNet.PREFIX + "input_blocks.0.0.weight");
        for (Kind kind : REFUSED) {
            if (has(tensors.keySet(), kind.key)) {
                throw new IllegalArgumentException(kind.what);
            }
        }
        if (first == null || first.shape().length != 4) {
            throw new IllegalArgumentException("has no " + OriginalUNet.PREFIX + "input_blocks.0.0.weight, as Stable"
                    + " Diffusion's original code names it: no Stable Diffusion model in a single file");
        }
        long channels = first.shape()[1];
        if (channels != 4) {
            throw new IllegalArgumentException("is " + BY_CHANNELS.getOrDefault(channels, "another model")
                    + ", whose U-Net takes " + channels + " channels where a text-to-image model takes 4");
        }
    }

    private static boolean has(Set<String> keys, Pattern kind) {
        return keys.stream().anyMatch(key -> kind.matcher(key).matches());
    }
}
