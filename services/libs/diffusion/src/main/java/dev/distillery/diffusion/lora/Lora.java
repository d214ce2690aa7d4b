package dev.distillery.diffusion.lora;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.tensor.Weights;

/**
 * Low-rank adapters of a network's linear layers: {@code W x + alpha / rank * B (A x)}, where A and B learn and W does not.
 *
 * @param rank rows of A {@code (rank, in)} and columns of B {@code (out, rank)}
 * @param targets ends of the layers' names, all of {@link #OF_UNET} or all of {@link #OF_TEXT_ENCODER}
 * @see <a href="https://arxiv.org/abs/2106.09685">LoRA</a>
 * @see <a href="https://github.com/huggingface/peft/blob/v0.21.2/src/peft/tuners/lora/layer.py#L1074">peft's Linear, whose
 *     arithmetic this is</a>
 */
public record Lora(int rank, double alpha, List<String> targets) {
    /** The linear layers of a U-Net's transformer block: the projections of its attentions, and its feed-forward. */
    public static final List<String> OF_UNET = List.of("to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2");

    /** The projections of a text encoder's attentions. */
    public static final List<String> OF_TEXT_ENCODER = List.of("q_proj", "k_proj", "v_proj", "out_proj");

    /** How the keys of A and B end. */
    static final String A = ".lora_A.weight";

    static final String B = ".lora_B.weight";
    private static final String SCALE = ".lora_scale"; // no parameter

    public Lora {
        targets = List.copyOf(targets);
        if (rank < 1) {
            throw new IllegalArgumentException("a LoRA's rank is at least 1, but is " + rank);
        }
        boolean known = OF_UNET.containsAll(targets) || OF_TEXT_ENCODER.containsAll(targets);
        if (targets.isEmpty() || !known) {
            throw new IllegalArgumentException("a LoRA's targets are one or more of " + OF_UNET + ", or of "
                    + OF_TEXT_ENCODER + ", but are " + targets);
        }
    }

    /** By which the product of A and B counts. */
    public double scale() {
        return alpha / rank;
    }

    /**
     * Shapes of all A and B by peft's key, {@code down_blocks...to_q.lora_A.weight}, in the order of the model.
     *
     * @param network shapes of its parameters, by key
     */
    public Map<String, Shape> shapes(Map<String, Shape> network) {
        var shapes = new LinkedHashMap<String, Shape>();
        network.forEach((key, shape) -> {
            if (targets.stream().anyMatch(target -> key.endsWith("." + target + ".weight"))) {
                String layer = key.substring(0, key.length() - ".weight".length());
                shapes.put(layer + A, new Shape(rank, shape.get(1)));
                shapes.put(layer + B, new Shape(shape.get(0), rank));
            }
        });
        return shapes;
    }

    /** The layer of an A or a B. */
    static String layer(String key) {
        return key.substring(0, key.length() - A.length()); // B's is as long
    }

    /** Whether a key is that of an A or a B. */
    public static boolean isAdapter(String key) {
        return key.endsWith(A) || key.endsWith(B);
    }

    /** Whether a key is that of the number by which adapters count. */
    public static boolean isScale(String key) {
        return key.endsWith(SCALE);
    }

    /**
     * A network's weights with adapters that change nothing yet: A is normal with the deviation {@code 1 / rank}, as peft's
     * {@code init_lora_weights="gaussian"} and diffusers' training scripts have it, B is zero.
     *
     * @param network shapes of its parameters, by key
     * @param manager owner of the adapters
     */
    public Weights.Source beside(Weights.Source base, Map<String, Shape> network, long seed, NDManager manager) {
        Map<String, Shape> shapes = shapes(network);
        List<String> inOrder = List.copyOf(shapes.keySet());
        NDArray scale = manager.create((float) scale());
        Set<String> keys = new TreeSet<>(base.keys());
        keys.addAll(inOrder);
        inOrder.stream().filter(key -> key.endsWith(A)).forEach(key -> keys.add(layer(key) + SCALE));
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
                if (isScale(key)) {
                    return scale;
                } else if (!shapes.containsKey(key)) {
                    return base.load(key);
                } else if (key.endsWith(B)) {
                    return manager.zeros(shapes.get(key));
                }
                try (NDArray normal = Torch.normal(seed + inOrder.indexOf(key), shapes.get(key), manager)) {
                    return normal.mul(1f / rank);
                }
            }
        };
    }

    /**
     * What {@code ops.py} calls {@code lora}: A, B and scale of each layer.
     *
     * @param layers of a unit
     * @return empty if none of them is adapted
     */
    public static List<NDArray> take(Weights w, List<String> layers) {
        if (layers.stream().noneMatch(layer -> w.has(layer + A))) {
            return List.of();
        }
        var lora = new ArrayList<NDArray>();
        for (String layer : layers) {
            for (String part : List.of(A, B, SCALE)) {
                lora.add(
                        w.has(layer + part)
                                ? w.take(layer + part, w.shape(layer + part).getShape())
                                : null);
            }
        }
        NDManager owner =
                lora.stream().filter(Objects::nonNull).findFirst().orElseThrow().getManager();
        NDArray none = owner.create(0f); // of this unit alone: a call names its arguments
        lora.replaceAll(array -> array == null ? none : array);
        return lora;
    }
}
