package dev.distillery.diffusion.clip;

import java.util.ArrayList;
import java.util.List;

import ai.djl.ndarray.NDArray;
import dev.distillery.diffusion.lora.Lora;
import dev.distillery.diffusion.tensor.Ops;
import dev.distillery.diffusion.tensor.Weights;

/**
 * One layer of either of CLIP's transformers.
 *
 * @param weights in the order that ops.py documents
 * @param shape of the transformer
 * @param sight what a token sees
 */
record ClipLayer(List<NDArray> weights, Shape shape, Sight sight) {
    private static final List<String> PROJECTIONS = List.of("q_proj", "k_proj", "v_proj", "out_proj");

    /** @param quickGelu whether the activation is {@code x sigmoid(1.702 x)} instead of GELU */
    record Shape(int width, int mlpWidth, int heads, boolean quickGelu, double eps) {}

    enum Sight {
        EVERYTHING,
        WHAT_CAME_BEFORE
    }

    /** The layers of a transformer, by transformers' keys. */
    static List<ClipLayer> take(Weights w, int count, Shape shape, Sight sight) {
        var layers = new ArrayList<ClipLayer>();
        for (int i = 0; i < count; i++) {
            layers.add(new ClipLayer(weights(w.at(i), shape), shape, sight));
        }
        return layers;
    }

    private static List<NDArray> weights(Weights w, Shape shape) {
        int d = shape.width;
        var list = new ArrayList<NDArray>();
        list.addAll(w.takePair("layer_norm1", d));
        for (String name : PROJECTIONS) {
            list.addAll(w.at("self_attn").takePair(name, d, d));
        }
        list.addAll(w.takePair("layer_norm2", d));
        list.addAll(w.takePair("mlp.fc1", shape.mlpWidth, d));
        list.addAll(w.takePair("mlp.fc2", d, shape.mlpWidth));
        list.addAll(Lora.take(w.at("self_attn"), PROJECTIONS));
        return list;
    }

    /** {@code x (B, L, D) -> (B, L, D)}. */
    NDArray apply(NDArray x) {
        return Ops.call(
                "clip_layer",
                x,
                weights,
                shape.heads,
                shape.eps,
                shape.quickGelu ? 1 : 0,
                sight == Sight.WHAT_CAME_BEFORE ? 1 : 0);
    }
}
