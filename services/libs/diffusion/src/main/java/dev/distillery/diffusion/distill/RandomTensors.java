package dev.distillery.diffusion.distill;

import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.tensor.Weights;

/**
 * First weights of a student that inherits none: norms are the identity, matrices, kernels and biases are uniform in
 * {@code +-1/sqrt(fan_in)}. The same seed gives the same weights, whatever their order.
 *
 * @see <a href="https://github.com/pytorch/pytorch/blob/v2.7.1/torch/nn/modules/linear.py#L114">the initialisation of
 *     PyTorch's Linear and Conv2d</a>
 */
public record RandomTensors(Map<String, Shape> shapes, long seed, NDManager manager) implements Weights.Source {
    @Override
    public Set<String> keys() {
        return shapes.keySet();
    }

    @Override
    public Shape shape(String key) {
        return shapes.get(key);
    }

    @Override
    public NDArray load(String key) {
        Shape shape = shapes.get(key);
        boolean bias = key.endsWith(".bias");
        Shape weight = bias ? shapes.get(key.replaceFirst("bias$", "weight")) : shape;
        if (weight.dimension() < 2) { // a norm's
            return bias ? manager.zeros(shape) : manager.ones(shape);
        }
        double bound = 1 / Math.sqrt((double) weight.size() / weight.get(0));
        var random = new SplittableRandom(seed * 31 + key.hashCode());
        float[] values = new float[Math.toIntExact(shape.size())];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextDouble(-bound, bound);
        }
        try (NDArray inJava = manager.create(values, shape)) {
            return inJava.duplicate(); // in PyTorch's own memory: that of Java's buffers is limited
        }
    }
}
