package dev.distillery.diffusion.safetensors;

import java.util.Arrays;

/**
 * One tensor of a file.
 *
 * @param offset first byte, counted from the end of the header
 * @param bytes length of its data
 */
public record TensorInfo(String name, DType dtype, long[] shape, long offset, long bytes) {
    public long elements() {
        return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }
}
