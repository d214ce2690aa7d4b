package dev.distillery.diffusion.tensor;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

/** Type of the arithmetic. Weights stay in float32; losses are always computed in it. */
public enum Precision {
    FP32(6, 4),
    BF16(15, 2);

    private final int scalarType; // PyTorch's number of the type
    private final int bytes;

    Precision(int scalarType, int bytes) {
        this.scalarType = scalarType;
        this.bytes = bytes;
    }

    /** Of a number. */
    public int bytes() {
        return bytes;
    }

    /**
     * The array in this type, attached to {@code scope}: a new handle, whose memory may be that of {@code array}. DJL does
     * not know bfloat16: such an array is for {@link Ops} only, and is never asked for its type or its values.
     */
    public NDArray of(NDArray array, NDManager scope) {
        NDArray cast = Ops.call("to_dtype", array, scalarType);
        cast.attach(scope);
        return cast;
    }
}
