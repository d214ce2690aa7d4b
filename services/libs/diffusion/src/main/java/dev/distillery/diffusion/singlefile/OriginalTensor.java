package dev.distillery.diffusion.singlefile;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;

/**
 * A tensor of the original code, made of one of diffusers or transformers, or of several one below the other.
 *
 * @param name with its prefix
 * @param from keys in the component's own folder, whose first axes are joined
 * @param change what is done to it
 */
record OriginalTensor(String name, List<String> from, Change change) {
    enum Change {
        NONE,
        /** A linear layer's {@code (out, in)} as a 1x1 kernel {@code (out, in, 1, 1)}: the same bytes. */
        AS_KERNEL,
        /** {@code (out, in) -> (in, out)}. */
        TRANSPOSED
    }

    static OriginalTensor same(String name, String from) {
        return new OriginalTensor(name, List.of(from), Change.NONE);
    }

    /** @param shapes of what it is made of, by key */
    long[] shape(Map<String, long[]> shapes) {
        long[] first = shapes.get(from.get(0));
        return switch (change) {
            case AS_KERNEL -> new long[] {first[0], first[1], 1, 1};
            case TRANSPOSED -> new long[] {first[1], first[0]};
            case NONE -> {
                long[] joined = first.clone();
                for (String key : from.subList(1, from.size())) {
                    joined[0] += shapes.get(key)[0];
                }
                yield joined;
            }
        };
    }

    /**
     * A matrix the other way round, in new memory.
     *
     * @param bytes of an element
     */
    static ByteBuffer transposed(ByteBuffer data, long[] shape, int bytes) {
        int rows = Math.toIntExact(shape[0]);
        int columns = Math.toIntExact(shape[1]);
        ByteBuffer turned = ByteBuffer.allocate(data.remaining()).order(ByteOrder.LITTLE_ENDIAN);
        int start = data.position();
        for (int column = 0; column < columns; column++) {
            for (int row = 0; row < rows; row++) {
                turned.put(data.slice(start + (row * columns + column) * bytes, bytes));
            }
        }
        return turned.flip();
    }
}
