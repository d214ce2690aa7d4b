package dev.distillery.diffusion.clip;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;

/**
 * Prompts as the U-Net sees them. SDXL: both encoders' penultimate states side by side, and the second's projected pooled
 * state. SD v1/v2: the one encoder's last state, normalised.
 *
 * @see <a href="https://github.com/huggingface/diffusers/blob/v0.35.1/src/diffusers/pipelines/stable_diffusion_xl/pipeline_stable_diffusion_xl.py#L287">
 *     StableDiffusionXLPipeline.encode_prompt</a>
 */
public final class PromptEncoder implements AutoCloseable {
    private record Tower(ClipTokenizer tokenizer, ClipTextEncoder encoder) {
        ClipTextEncoder.Encoding encode(List<String> prompts, NDManager scope) {
            int length = tokenizer.length();
            long[] ids = prompts.stream()
                    .flatMapToLong(prompt -> Arrays.stream(tokenizer.encode(prompt)))
                    .toArray();
            return encoder.encode(scope.create(ids, new Shape(prompts.size(), length)));
        }
    }

    /**
     * Encoded prompts.
     *
     * @param promptEmbeds {@code (B, 77, D)}
     * @param pooled {@code (B, P)}; null for SD v1/v2
     */
    public record Prompts(NDArray promptEmbeds, NDArray pooled) {}

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
        var towers = new ArrayList<Tower>();
        for (String suffix : List.of("", "_2")) {
            Path encoder = model.resolve("text_encoder" + suffix);
            if (Files.isDirectory(encoder)) {
                towers.add(new Tower(
                        ClipTokenizer.load(model.resolve("tokenizer" + suffix)),
                        ClipTextEncoder.load(encoder, manager)));
            }
        }
        if (towers.isEmpty()) {
            throw new IllegalArgumentException(model + " has no text_encoder folder");
        }
        return new PromptEncoder(towers);
    }

    /** @param scope owner of the result */
    public Prompts encode(List<String> prompts, NDManager scope) {
        try (NDManager inner = scope.newSubManager()) {
            ClipTextEncoder.Encoding first = towers.get(0).encode(prompts, inner);
            if (towers.size() == 1) {
                first.last().attach(scope);
                return new Prompts(first.last(), null);
            }
            ClipTextEncoder.Encoding second = towers.get(1).encode(prompts, inner);
            NDArray embeds = first.penultimate().concat(second.penultimate(), -1); // (B, 77, D1 + D2)
            embeds.attach(scope);
            second.pooled().attach(scope);
            return new Prompts(embeds, second.pooled());
        }
    }

    @Override
    public void close() {
        towers.forEach(tower -> tower.tokenizer().close());
    }
}
