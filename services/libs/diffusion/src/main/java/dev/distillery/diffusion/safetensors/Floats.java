package dev.distillery.diffusion.safetensors;

import java.nio.ByteBuffer;

/**
 * Conversion between float types as PyTorch does it: to the nearest, ties to even; what is too large for fp16 becomes
 * infinite; NaN stays NaN.
 */
public final class Floats {
    private Floats() {}

    /** Reads the next element of a float dtype. */
    public static float get(ByteBuffer from, DType dtype) {
        return switch (dtype) {
            case F64 -> (float) from.getDouble();
            case F32 -> from.getFloat();
            case F16 -> fp16ToFloat(from.getShort());
            case BF16 -> Float.intBitsToFloat(from.getShort() << 16);
            default -> throw new IllegalArgumentException(dtype + " is not a float type");
        };
    }

    /** Appends an element. */
    public static void put(ByteBuffer to, DType dtype, float value) {
        switch (dtype) {
            case F64 -> to.putDouble(value);
            case F32 -> to.putFloat(value);
            case F16 -> to.putShort(floatToFp16(value));
            case BF16 -> to.putShort(floatToBf16(value));
            default -> throw new IllegalArgumentException(dtype + " is not a float type");
        }
    }

    static short floatToBf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) 0x7fc0;
        }
        return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
    }

    static float fp16ToFloat(short half) {
        int sign = (half & 0x8000) << 16;
        int exponent = (half >>> 10) & 0x1f;
        int mantissa = half & 0x3ff;
        if (exponent == 0) { // zero and subnormals: mantissa * 2^-24, exact in float
            return Float.intBitsToFloat(sign | Float.floatToRawIntBits(mantissa * 0x1p-24f));
        }
        int floatExponent = exponent == 0x1f ? 0xff : exponent - 15 + 127;
        return Float.intBitsToFloat(sign | floatExponent << 23 | mantissa << 13);
    }

    static short floatToFp16(float value) {
        int bits = Float.floatToRawIntBits(value);
        int sign = (bits >>> 16) & 0x8000;
        float magnitude = Math.abs(value);
        if (Float.isNaN(value)) {
            return (short) (sign | 0x7e00);
        }
        if (magnitude >= 65520f) { // halfway between the largest fp16 and what would follow it
            return (short) (sign | 0x7c00);
        }
        if (magnitude
                < 0x1p-14f) { // subnormal: a multiple of 2^-24, rounded to even by the scaled float's own rounding
            return (short) (sign | (int) Math.rint(magnitude * 0x1p24));
        }
        int rounded = (bits & 0x7fffffff) + 0xfff + ((bits >>> 13) & 1);
        return (short) (sign | (rounded - (112 << 23)) >>> 13);
    }
}
