package dev.distillery.diffusion.unet;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.tensor.Weights;

/**
 * Low-rank adapters of a U-Net's linear layers: {@code W x + alpha / rank * B (A x)}, where A and B learn and W does not.
 *
 * @param rank rows of A {@code (rank, in)} and columns of B {@code (out, rank)}
 * @param targets ends of the layers' names, of {@link #TARGETS}
 * @see <a href="https://arxiv.org/abs/2106.09685">LoRA</a>
 * @see <a href="https://github.com/huggingface/peft/blob/v0.21.2/src/peft/tuners/lora/layer.py#L1074">peft's Linear, whose
 *     arithmetic this is</a>
 */
public record Lora(int rank, double alpha, List<String> targets) {
    /** The linear layers of a transformer block: the projections of its attentions, and its feed-forward. */
    public static final List<String> TARGETS = List.of("to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2");

    private static final String A = ".lora_A.weight";
    private static final String B = ".lora_B.weight";
    private static final String SCALE = ".lora_scale"; // no parameter

    public Lora {
        targets = List.copyOf(targets);
        if (rank < 1) {
            throw new IllegalArgumentException("a LoRA's rank is at least 1, but is " + rank);
        }
        var unknown = new TreeSet<>(targets);
        TARGETS.forEach(unknown::remove);
        if (targets.isEmpty() || !unknown.isEmpty()) {
            throw new IllegalArgumentException(
                    "a LoRA's targets are one or more of " + TARGETS + ", but are " + targets);
        }
    }

    /** By which the product of A and B counts. */
    public double scale() {
        return alpha / rank;
    }

    /** Shapes of all A and B by peft's key, {@code down_blocks...to_q.lora_A.weight}, in the order of the model. */
    public Map<String, Shape> shapes(UNetConfig config) {
        var shapes = new LinkedHashMap<String, Shape>();
        UNet2DCondition.parameterShapes(config).forEach((key, shape) -> {
            if (isTarget(key)) {
                String layer = layer(key);
                shapes.put(layer + A, new Shape(rank, shape.get(1)));
                shapes.put(layer + B, new Shape(shape.get(0), rank));
            }
        });
        return shapes;
    }

    private boolean isTarget(String key) {
        return key.contains(".transformer_blocks.")
                && targets.stream().anyMatch(target -> key.endsWith("." + target + ".weight"));
    }

    private static String layer(String key) {
        return key.substring(0, key.length() - ".weight".length());
    }

    static boolean isAdapter(String key) {
        return key.endsWith(A) || key.endsWith(B);
    }

    static boolean isScale(String key) {
        return key.endsWith(SCALE);
    }

    /**
     * A network's weights with adapters that change nothing yet: A is normal with the deviation {@code 1 / rank}, as peft's
     * {@code init_lora_weights="gaussian"} and diffusers' training scripts have it, B is zero.
     *
     * @param manager owner of the adapters
     */
    public Weights.Source beside(Weights.Source base, UNetConfig config, long seed, NDManager manager) {
        Map<String, Shape> shapes = shapes(config);
        List<String> keys = List.copyOf(shapes.keySet());
        return beside(base, shapes, manager, key -> {
            if (key.endsWith(B)) {
                return manager.zeros(shapes.get(key));
            }
            try (NDArray normal = Torch.normal(seed + keys.indexOf(key), shapes.get(key), manager)) {
                return normal.mul(1f / rank);
            }
        });
    }

    /** A network's weights with adapters that are there, by peft's keys. */
    public Weights.Source beside(Weights.Source base, Weights.Source adapters, NDManager manager) {
        var shapes = new LinkedHashMap<String, Shape>();
        adapters.keys().forEach(key -> shapes.put(key, adapters.shape(key)));
        return beside(base, shapes, manager, adapters::load);
    }

    private interface Loading {
        NDArray load(String key);
    }

    private Weights.Source beside(Weights.Source base, Map<String, Shape> shapes, NDManager manager, Loading adapters) {
        NDArray scale = manager.create((float) scale());
        Set<String> keys = new TreeSet<>(base.keys());
        shapes.keySet().forEach(key -> {
            keys.add(key);
            if (key.endsWith(A)) {
                keys.add(key.substring(0, key.length() - A.length()) + SCALE);
            }
        });
        return new Weights.Source() {
            @Override
            public Set<String> keys() {
                return keys;
            }

            @Override
            public Shape shape(String key) {
                return isScale(key) ? scale.getShape() : shapes.containsKey(key) ? shapes.get(key) : base.shape(key);
            }

            @Override
            public NDArray load(String key) {
                return isScale(key) ? scale : shapes.containsKey(key) ? adapters.load(key) : base.load(key);
            }
        };
    }

    /**
     * What {@code ops.py} calls {@code lora}: A, B and scale of each layer.
     *
     * @param layers of a unit, with their weights' shapes
     * @return empty if none of them is adapted
     */
    static List<NDArray> take(Weights w, Map<String, Shape> layers) {
        if (layers.keySet().stream().noneMatch(layer -> w.has(layer + A))) {
            return List.of();
        }
        var lora = new ArrayList<NDArray>();
        NDArray none = null;
        for (Map.Entry<String, Shape> layer : layers.entrySet()) {
            String name = layer.getKey();
            if (w.has(name + A)) {
                long rank = w.shape(name + A).get(0);
                lora.add(w.take(name + A, rank, layer.getValue().get(1)));
                lora.add(w.take(name + B, layer.getValue().get(0), rank));
                none = w.take(name + SCALE);
                lora.add(none);
            } else {
                lora.addAll(Collections.nCopies(3, null));
            }
        }
        NDArray number = none;
        lora.replaceAll(array -> array == null ? number : array);
        return lora;
    }
}
