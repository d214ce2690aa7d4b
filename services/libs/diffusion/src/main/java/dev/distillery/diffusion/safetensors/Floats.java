package dev.distillery.diffusion.safetensors;

import java.nio.ByteBuffer;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/**
 * Conversion between float types as PyTorch does it: to the nearest, ties to even; what is too large for fp16 becomes
 * infinite; NaN stays NaN.
 */
public final class Floats {
    private static final int BLOCK = 1 << 16;
    private static final int LEAST_NORMAL = Float.floatToRawIntBits(0x1p-14f);
    /** Halfway between the largest fp16 and what would follow it. */
    private static final int LEAST_INFINITE = Float.floatToRawIntBits(65520f);

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

    /**
     * Converts all elements that remain, as {@link #get} and {@link #put} would one by one: by blocks, on all cores.
     *
     * @param to has room for them; its position does not move
     * @return a finite number that became infinite, if there is one
     */
    static OptionalDouble convert(ByteBuffer from, DType fromType, ByteBuffer to, DType toType) {
        int elements = from.remaining() / fromType.bytes();
        ByteBuffer source = from.slice().order(from.order());
        ByteBuffer target = to.slice().order(to.order());
        double[] tooLarge = IntStream.range(0, (elements + BLOCK - 1) / BLOCK)
                .parallel()
                .mapToDouble(block -> {
                    int begin = block * BLOCK;
                    int n = Math.min(BLOCK, elements - begin);
                    float[] floats = new float[n];
                    read(part(source, fromType, begin, n), fromType, floats);
                    return write(floats, part(target, toType, begin, n), toType);
                })
                .filter(value -> value != 0)
                .limit(1)
                .toArray();
        return tooLarge.length == 0 ? OptionalDouble.empty() : OptionalDouble.of(tooLarge[0]);
    }

    private static ByteBuffer part(ByteBuffer buffer, DType type, int begin, int n) {
        return buffer.slice(begin * type.bytes(), n * type.bytes()).order(buffer.order());
    }

    private static void read(ByteBuffer from, DType type, float[] floats) {
        switch (type) {
            case F32 -> from.asFloatBuffer().get(floats);
            case F16, BF16 -> {
                short[] halves = new short[floats.length];
                from.asShortBuffer().get(halves);
                for (int i = 0; i < halves.length; i++) {
                    floats[i] = type == DType.F16 ? fp16ToFloat(halves[i]) : Float.intBitsToFloat(halves[i] << 16);
                }
            }
            default -> {
                for (int i = 0; i < floats.length; i++) {
                    floats[i] = get(from, type);
                }
            }
        }
    }

    /** Answers with a finite number that became infinite; 0 if there is none. */
    private static float write(float[] floats, ByteBuffer to, DType type) {
        float tooLarge = 0;
        switch (type) {
            case F32 -> to.asFloatBuffer().put(floats);
            case F16, BF16 -> {
                short[] halves = new short[floats.length];
                for (int i = 0; i < halves.length; i++) {
                    halves[i] = type == DType.F16 ? floatToFp16(floats[i]) : floatToBf16(floats[i]);
                    if (type == DType.F16 && (halves[i] & 0x7fff) == 0x7c00 && Float.isFinite(floats[i])) {
                        tooLarge = floats[i];
                    }
                }
                to.asShortBuffer().put(halves);
            }
            default -> {
                for (float value : floats) {
                    put(to, type, value);
                }
            }
        }
        return tooLarge;
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
        int magnitudeBits = bits & 0x7fffffff;
        if (magnitudeBits >= LEAST_NORMAL && magnitudeBits < LEAST_INFINITE) { // what weights are
            int rounded = magnitudeBits + 0xfff + ((bits >>> 13) & 1);
            return (short) (sign | (rounded - (112 << 23)) >>> 13);
        }
        float magnitude = Math.abs(value);
        if (Float.isNaN(value)) {
            return (short) (sign | 0x7e00);
        }
        if (magnitudeBits >= LEAST_INFINITE) {
            return (short) (sign | 0x7c00);
        }
        // subnormal: a multiple of 2^-24, rounded to even by the scaled float's own rounding
        return (short) (sign | (int) Math.rint(magnitude * 0x1p24));
    }
}
