package dev.distillery.diffusion.singlefile;

import java.util.List;

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
}
