package dev.distillery.diffusion.clip;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.lora.Lora;
import dev.distillery.diffusion.safetensors.SafetensorsFolder;
import dev.distillery.diffusion.tensor.Ops;
import dev.distillery.diffusion.tensor.SafetensorsSource;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.tensor.Weights;

/**
 * CLIP's text transformer: every token sees those before it. Its weights do not learn; a LoRA beside them can.
 *
 * @see <a href="https://github.com/huggingface/transformers/blob/v4.55.4/src/transformers/models/clip/modeling_clip.py#L639">
 *     CLIPTextTransformer</a>
 */
public final class ClipTextEncoder {
    private final ClipConfig config;
    private final NDArray tokenEmbedding; // (vocabulary, D)
    private final NDArray positionEmbedding; // (77, D)
    private final List<ClipLayer> layers;
    private final List<NDArray> finalNorm;
    private final Optional<NDArray> projection; // (P, D)
    private final Map<String, NDArray> adapters = new LinkedHashMap<>();

    /** Takes transformers' keys from {@code w}, which is then to be {@linkplain Weights#check checked}. */
    public ClipTextEncoder(ClipConfig config, Weights w) {
        this.config = config;
        Weights text = w.at("text_model");
        tokenEmbedding = text.take("embeddings.token_embedding.weight", config.vocabulary(), config.width());
        positionEmbedding = text.take("embeddings.position_embedding.weight", config.positions(), config.width());
        if (text.has("embeddings.position_ids")) { // a buffer that files of before transformers 4.31 carry
            text.take("embeddings.position_ids", 1, config.positions());
        }
        layers = ClipLayer.take(
                text.at("encoder.layers"), config.layers(), config.shape(), ClipLayer.Sight.WHAT_CAME_BEFORE);
        finalNorm = text.takePair("final_layer_norm", config.width());
        projection = config.projection()
                ? Optional.of(w.take("text_projection.weight", config.projectionWidth(), config.width()))
                : Optional.empty();
        w.taken().forEach((key, array) -> {
            if (Lora.isAdapter(key)) {
                adapters.put(key, array);
            }
        });
    }

    /**
     * Loads a transformers folder, in float32.
     *
     * @param manager owner of the parameters
     */
    public static ClipTextEncoder load(Path folder, NDManager manager) {
        return load(folder, manager, source -> source);
    }

    /**
     * Loads a transformers folder.
     *
     * @param manager owner of the parameters
     * @param change what to make of its weights
     */
    static ClipTextEncoder load(Path folder, NDManager manager, UnaryOperator<Weights.Source> change) {
        try (SafetensorsFolder files = SafetensorsFolder.open(folder)) {
            Weights weights = Weights.of(folder.toString(), change.apply(SafetensorsSource.of(files, manager)));
            var encoder = new ClipTextEncoder(ClipConfig.read(folder), weights);
            weights.check();
            return encoder;
        }
    }

    /** Shape of every parameter of such an encoder, by transformers key, without allocating any. */
    public static Map<String, Shape> parameterShapes(ClipConfig config) {
        try (NDManager scope = Torch.newManager()) {
            Weights shapes = Weights.shapesOnly(scope);
            new ClipTextEncoder(config, shapes);
            return shapes.shapes();
        }
    }

    public ClipConfig config() {
        return config;
    }

    /** Those of a LoRA by peft's key; empty if there is none. */
    Map<String, NDArray> adapters() {
        return adapters;
    }

    /**
     * What it makes of prompts; attached to the manager of the ids.
     *
     * @param penultimate hidden state before the last layer {@code (B, L, D)}, not normalised
     * @param last hidden state after the last layer and the final norm {@code (B, L, D)}
     * @param pooled the final state of the end token {@code (B, D)}, projected {@code (B, P)} where there is a projection
     */
    public record Encoding(NDArray penultimate, NDArray last, NDArray pooled) {}

    /** Token ids {@code (B, L)} int64. */
    public Encoding encode(NDArray ids) {
        try (Torch.GradMode off = Torch.gradMode(false)) {
            return trace(ids);
        }
    }

    /** The same, from which gradients go back to the adapters where autograd is on. */
    Encoding trace(NDArray ids) {
        NDManager owner = ids.getManager();
        try (NDManager scope = owner.newSubManager()) {
            NDArray scoped = ids.duplicate();
            scoped.attach(scope);
            NDArray h = Ops.call("clip_embed", scoped, tokenEmbedding, positionEmbedding); // (B, L, D)
            NDArray penultimate = h;
            for (ClipLayer layer : layers) {
                if (penultimate != h) {
                    penultimate.close();
                }
                penultimate = h;
                h = layer.apply(h);
            }
            NDArray last = Ops.call("layer_norm", h, finalNorm.get(0), finalNorm.get(1), config.eps());
            NDArray ends = scope.create(ends(ids)).duplicate(); // the way back needs it: not memory of Java, which goes
            NDArray pooled = Ops.call("rows_at", last, ends); // (B, D)
            if (projection.isPresent()) {
                pooled = Ops.call("linear_no_bias", pooled, projection.get()); // (B, P)
            }
            penultimate.attach(owner);
            last.attach(owner);
            pooled.attach(owner);
            return new Encoding(penultimate, last, pooled);
        }
    }

    /** Where each prompt ends: at its first end token, or, by the old rule, at its highest token. */
    private long[] ends(NDArray ids) {
        int length = (int) ids.getShape().get(1);
        long[] flat = ids.toLongArray();
        long[] ends = new long[flat.length / length];
        for (int row = 0; row < ends.length; row++) {
            int at = 0;
            for (int i = 1; i < length; i++) {
                long best = flat[row * length + at];
                long here = flat[row * length + i];
                boolean better = config.eosTokenId() == 2
                        ? here > best
                        : here == config.eosTokenId() && best != config.eosTokenId();
                at = better ? i : at;
            }
            ends[row] = at;
        }
        return ends;
    }
}
