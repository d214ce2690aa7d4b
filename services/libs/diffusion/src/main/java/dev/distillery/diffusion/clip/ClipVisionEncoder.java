package dev.distillery.diffusion.clip;

import java.util.List;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.distillery.diffusion.tensor.Ops;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.tensor.Weights;

/**
 * CLIP's vision transformer, for inference: every patch sees all others, and a token of its own sums them up.
 *
 * @see <a href="https://github.com/huggingface/transformers/blob/v4.55.4/src/transformers/models/clip/modeling_clip.py#L799">
 *     CLIPVisionTransformer</a>
 */
final class ClipVisionEncoder {
    private final ClipVisionConfig config;
    private final NDArray patchEmbedding; // (D, 3, p, p)
    private final NDArray classEmbedding; // (D)
    private final NDArray positionEmbedding; // (1 + patches, D)
    private final List<NDArray> preNorm;
    private final List<ClipLayer> layers;
    private final List<NDArray> postNorm;

    /** Takes the keys of transformers' {@code vision_model}. */
    ClipVisionEncoder(ClipVisionConfig config, Weights w) {
        this.config = config;
        int d = config.shape().width();
        Weights embeddings = w.at("embeddings");
        classEmbedding = embeddings.take("class_embedding", d);
        patchEmbedding = embeddings.take("patch_embedding.weight", d, 3, config.patchPx(), config.patchPx());
        positionEmbedding = embeddings.take("position_embedding.weight", config.positions(), d);
        if (embeddings.has("position_ids")) { // a buffer that files of before transformers 4.31 carry
            embeddings.take("position_ids", 1, config.positions());
        }
        preNorm = w.takePair("pre_layrnorm", d); // spelt like this
        layers = ClipLayer.take(w.at("encoder.layers"), config.layers(), config.shape(), ClipLayer.Sight.EVERYTHING);
        postNorm = w.takePair("post_layernorm", d);
    }

    /** Pixels {@code (B, 3, H, W)}, normalised, to the class token's final state {@code (B, D)}, attached to their manager. */
    NDArray encode(NDArray pixels) {
        NDManager owner = pixels.getManager();
        double eps = config.shape().eps();
        try (Torch.GradMode off = Torch.gradMode(false);
                NDManager scope = owner.newSubManager()) {
            NDArray scoped = pixels.duplicate();
            scoped.attach(scope);
            NDArray h = Ops.call( // (B, 1 + patches, D)
                    "clip_patches", scoped, patchEmbedding, classEmbedding, positionEmbedding);
            h = replaced(h, Ops.call("layer_norm", h, preNorm.get(0), preNorm.get(1), eps));
            for (ClipLayer layer : layers) {
                h = replaced(h, layer.apply(h));
            }
            NDArray first = h.get(":, 0");
            NDArray pooled = Ops.call("layer_norm", first, postNorm.get(0), postNorm.get(1), eps);
            pooled.attach(owner);
            return pooled;
        }
    }

    private static NDArray replaced(NDArray before, NDArray after) {
        before.close();
        return after;
    }
}
