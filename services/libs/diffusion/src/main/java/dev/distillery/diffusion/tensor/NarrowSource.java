package dev.distillery.diffusion.tensor;

import java.util.Set;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;

/**
 * Weights of a network that does not learn, in the type in which products and convolutions use them; the others stay in
 * float32. So the numbers are those of a network in float32, in half the memory.
 */
public record NarrowSource(Weights.Source source, Precision precision) implements Weights.Source {
    @Override
    public Set<String> keys() {
        return source.keys();
    }

    @Override
    public Shape shape(String key) {
        return source.shape(key);
    }

    @Override
    public NDArray load(String key) {
        NDArray array = source.load(key);
        if (precision == Precision.FP32 || array.getShape().dimension() < 2) {
            return array;
        }
        try (array) {
            return precision.of(array, array.getManager());
        }
    }
}
