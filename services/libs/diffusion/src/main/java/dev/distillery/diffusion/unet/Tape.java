package dev.distillery.diffusion.unet;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.tensor.Precision;

/**
 * The arithmetic of a network over shapes alone: the operators in the order of the forward pass, with what each reads,
 * makes, keeps for the way back and costs. {@link MemoryOfPass} tells from it what is in memory when.
 *
 * <p>B = batch, C = channels, L = tokens.
 */
final class Tape {
    /**
     * Memory that one tensor or several views of it lie in.
     *
     * @param learns whether gradients go to it
     */
    record Storage(long bytes, boolean learns) {
        @Override
        public boolean equals(Object other) {
            return this == other;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(this);
        }
    }

    /** A tensor. */
    record Value(Shape shape, Storage storage) {
        long size(int axis) {
            return shape.get(axis);
        }
    }

    /**
     * @param keeps of what it reads and makes, for its gradients
     * @param passes whether its input's gradients are its output's, without a copy
     * @param weightGradients bytes of the gradients of the weights that it learns, until they are added to the lasting ones
     * @param scratch bytes of its own while it runs, in either direction
     */
    record Operator(
            List<Storage> reads,
            Storage makes,
            List<Storage> keeps,
            boolean passes,
            long weightGradients,
            long scratch) {}

    private final List<Operator> operators = new ArrayList<>();
    private final int bytesOfNumber;
    private final boolean castsWeights;
    private long macs;
    private long attentionMacs;

    /** @param castsWeights whether weights are in another type than the arithmetic, so that products use a copy of them */
    Tape(Precision precision, boolean castsWeights) {
        bytesOfNumber = precision.bytes();
        this.castsWeights = castsWeights;
    }

    List<Operator> operators() {
        return operators;
    }

    int size() {
        return operators.size();
    }

    /** Multiplications with additions of layers, that is of convolutions and linear layers. */
    long macs() {
        return macs;
    }

    /** Those of the products inside attention. */
    long attentionMacs() {
        return attentionMacs;
    }

    /** A tensor from outside, to which no gradients go. */
    Value given(long... shape) {
        return new Value(new Shape(shape), new Storage(bytes(new Shape(shape)), false));
    }

    private Value made(Shape shape) {
        return new Value(shape, new Storage(bytes(shape), true));
    }

    private long bytes(Shape shape) {
        return shape.size() * bytesOfNumber;
    }

    static Value view(Value x, long... shape) {
        return new Value(new Shape(shape), x.storage);
    }

    /** In float32, after they came in the type of the arithmetic. */
    private long weightGradients(long numbers) {
        return numbers * (castsWeights ? Float.BYTES + bytesOfNumber : Float.BYTES);
    }

    private static List<Storage> storages(Value... values) {
        return Arrays.stream(values).map(Value::storage).distinct().toList();
    }

    /** {@code x (B, C, H, W)}, {@code w (C', C, k, k)}; padded so that only the stride makes it smaller. */
    Value conv(Value x, Shape w, int stride) {
        Value y = made(
                new Shape(x.size(0), w.get(0), (x.size(2) + stride - 1) / stride, (x.size(3) + stride - 1) / stride));
        macs += y.shape.size() * w.slice(1).size();
        // oneDNN computes in blocked copies of input, kernel and output
        return product(x, y, w, w.size() + w.get(0), x.storage.bytes + bytes(w) + y.storage.bytes);
    }

    /** {@code x (..., in)}, {@code w (out, in)}; a 1x1 kernel is such a matrix. */
    Value linear(Value x, Shape w, boolean bias) {
        Value y = made(x.shape.slice(0, x.shape.dimension() - 1).add(w.get(0)));
        macs += x.shape.size() * w.get(0);
        return product(x, y, w, w.size() + (bias ? w.get(0) : 0), 0);
    }

    private Value product(Value x, Value y, Shape w, long weights, long scratch) {
        long gradients = weightGradients(weights);
        if (!castsWeights) {
            operators.add(new Operator(storages(x), y.storage, storages(x), false, gradients, scratch));
            return y;
        }
        var copy = new Storage(bytes(w), false);
        operators.add(new Operator(List.of(), copy, List.of(), false, 0, 0));
        List<Storage> both = List.of(x.storage, copy);
        operators.add(new Operator(both, y.storage, both, false, gradients, scratch));
        return y;
    }

    /** A group or layer norm with as many weights as channels. */
    Value norm(Value x, long channels) {
        return pointwise(x, made(x.shape), 2 * channels, storages(x));
    }

    /** SiLU or GELU. */
    Value activation(Value x) {
        return pointwise(x, made(x.shape), 0, storages(x));
    }

    private Value pointwise(Value x, Value y, long weights, List<Storage> keeps) {
        operators.add(new Operator(storages(x), y.storage, keeps, false, weightGradients(weights), 0));
        return y;
    }

    /** A copy in another order or size. */
    Value copy(Value x, long... shape) {
        return pointwise(x, made(new Shape(shape)), 0, List.of());
    }

    Value concat(Value x, Value y) {
        Value both = made(new Shape(x.size(0), x.size(1) + y.size(1), x.size(2), x.size(3)));
        operators.add(new Operator(storages(x, y), both.storage, List.of(), false, 0, 0));
        return both;
    }

    Value times(Value x, Value y) {
        Value z = made(x.shape);
        operators.add(new Operator(storages(x, y), z.storage, storages(x, y), false, 0, 0));
        return z;
    }

    Value plus(Value x, Value y) {
        Value z = made(x.shape);
        operators.add(new Operator(storages(x, y), z.storage, List.of(), true, 0, 0));
        return z;
    }

    /** Scaled dot product attention of {@code q (B, L, C)} to {@code k}, {@code v (B, L', C)}; scores are never whole in memory. */
    Value attention(Value q, Value k, Value v) {
        Value y = made(q.shape);
        attentionMacs += 2 * q.shape.size() * k.size(1);
        List<Storage> keeps =
                Stream.concat(storages(q, k, v).stream(), Stream.of(y.storage)).toList();
        operators.add(new Operator(storages(q, k, v), y.storage, keeps, false, 0, 0));
        return y;
    }
}
