package dev.distillery.diffusion.clip;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.lora.Lora;
import dev.distillery.diffusion.tensor.NarrowSource;
import dev.distillery.diffusion.tensor.Precision;
import dev.distillery.diffusion.tensor.Torch;

/**
 * Prompts as the U-Net sees them. SDXL: both encoders' penultimate states side by side, and the second's projected pooled
 * state. SD v1/v2: the one encoder's last state, normalised. The encoders' weights do not learn; a LoRA beside them can.
 *
 * @see <a href="https://github.com/huggingface/diffusers/blob/v0.35.1/src/diffusers/pipelines/stable_diffusion_xl/pipeline_stable_diffusion_xl.py#L287">
 *     StableDiffusionXLPipeline.encode_prompt</a>
 */
public final class PromptEncoder implements AutoCloseable {
    /** The folders in which a model may have text encoders. */
    public static final List<String> FOLDERS = List.of("text_encoder", "text_encoder_2");

    /** @param folder its name */
    private record Tower(String folder, ClipTokenizer tokenizer, ClipTextEncoder encoder) {
        /** Token ids {@code (B, 77)}. */
        NDArray ids(List<String> prompts, NDManager scope) {
            int length = tokenizer.length();
            long[] ids = prompts.stream()
                    .flatMapToLong(prompt -> Arrays.stream(tokenizer.encode(prompt)))
                    .toArray();
            return scope.create(ids, new Shape(prompts.size(), length));
        }
    }

    /**
     * Encoded prompts.
     *
     * @param promptEmbeds {@code (B, 77, D)}
     * @param pooled {@code (B, P)}; null for SD v1/v2
     */
    public record Prompts(NDArray promptEmbeds, NDArray pooled) {}

    /** More than a network has adapters. */
    private static final long SEEDS_OF_NETWORK = 1_000_000;

    private final List<Tower> towers;

    private PromptEncoder(List<Tower> towers) {
        this.towers = towers;
    }

    /**
     * Loads {@code text_encoder} and {@code tokenizer}, and {@code text_encoder_2} and {@code tokenizer_2} where they are,
     * of a diffusers folder.
     *
     * @param manager owner of the parameters
     */
    public static PromptEncoder load(Path model, NDManager manager) {
        return load(model, model, manager);
    }

    /**
     * The same with the tokenizers of another folder.
     *
     * @param model with the encoders
     */
    public static PromptEncoder load(Path model, Path tokenizers, NDManager manager) {
        return load(model, tokenizers, folder -> ClipTextEncoder.load(folder, manager));
    }

    /**
     * The same with a LoRA in each encoder, which changes nothing yet; the encoders' own weights stay as they are.
     *
     * @param seed of the adapters
     * @param precision of the encoders' matrices and of the arithmetic
     */
    public static PromptEncoder adapted(Path model, Lora lora, long seed, Precision precision, NDManager manager) {
        List<String> folders = folders(model);
        return load(model, model, folder -> {
            Map<String, Shape> shapes = ClipTextEncoder.parameterShapes(ClipConfig.read(folder));
            // apart from the U-Net's, which begin at seed; PyTorch's generator looks at 32 bits
            long own = seed
                    + SEEDS_OF_NETWORK
                            * (1 + folders.indexOf(folder.getFileName().toString()));
            return ClipTextEncoder.load(
                    folder, manager, source -> lora.beside(new NarrowSource(source, precision), shapes, own, manager));
        });
    }

    private static PromptEncoder load(Path model, Path tokenizers, Function<Path, ClipTextEncoder> encoders) {
        var towers = new ArrayList<Tower>();
        for (String folder : folders(model)) {
            towers.add(new Tower(
                    folder,
                    ClipTokenizer.load(tokenizers.resolve(folder.replace("text_encoder", "tokenizer"))),
                    encoders.apply(model.resolve(folder))));
        }
        return new PromptEncoder(towers);
    }

    /** The names of a model's text encoders. */
    private static List<String> folders(Path model) {
        List<String> folders = FOLDERS.stream()
                .filter(name -> Files.isDirectory(model.resolve(name)))
                .toList();
        if (folders.isEmpty()) {
            throw new IllegalArgumentException(model + " has no text_encoder folder");
        }
        return folders;
    }

    /** The configurations of a model's text encoders, by the names of their folders. */
    public static Map<String, ClipConfig> configs(Path model) {
        var configs = new LinkedHashMap<String, ClipConfig>();
        folders(model).forEach(folder -> configs.put(folder, ClipConfig.read(model.resolve(folder))));
        return configs;
    }

    /** The names of the encoders' folders. */
    public List<String> encoders() {
        return towers.stream().map(Tower::folder).toList();
    }

    /** The encoders' LoRA, by {@code text_encoder_2.text_model...q_proj.lora_A.weight}; empty if there is none. */
    public Map<String, NDArray> adapters() {
        var adapters = new LinkedHashMap<String, NDArray>();
        towers.forEach(tower ->
                tower.encoder.adapters().forEach((key, array) -> adapters.put(tower.folder + "." + key, array)));
        return adapters;
    }

    /** @param scope owner of the result */
    public Prompts encode(List<String> prompts, NDManager scope) {
        try (Torch.GradMode off = Torch.gradMode(false)) {
            return trace(prompts, scope);
        }
    }

    /** The same in float32, from which gradients go back to the adapters where autograd is on. */
    public Prompts trace(List<String> prompts, NDManager scope) {
        try (NDManager inner = scope.newSubManager()) {
            ClipTextEncoder.Encoding first =
                    towers.get(0).encoder.trace(towers.get(0).ids(prompts, inner));
            if (towers.size() == 1) {
                return new Prompts(Precision.FP32.of(first.last(), scope), null);
            }
            ClipTextEncoder.Encoding second =
                    towers.get(1).encoder.trace(towers.get(1).ids(prompts, inner));
            NDArray embeds = Precision.FP32
                    .of(first.penultimate(), inner)
                    .concat(Precision.FP32.of(second.penultimate(), inner), -1); // (B, 77, D1 + D2)
            embeds.attach(scope);
            return new Prompts(embeds, Precision.FP32.of(second.pooled(), scope));
        }
    }

    @Override
    public void close() {
        towers.forEach(tower -> tower.tokenizer().close());
    }
}
