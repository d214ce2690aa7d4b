package dev.distillery.diffusion.image;

/**
 * How the pixels around a place weigh in its colour; the names are Pillow's.
 *
 * <p>Source: {@code src/libImaging/Resample.c} of Pillow, whose order of operations decides how a weight is rounded.
 */
public enum Resampling {
    /** A triangle. */
    BILINEAR(1) {
        @Override
        double weight(double x) {
            return Math.max(0, 1 - Math.abs(x));
        }
    },

    /** Keys' cubic with a = -0.5; what {@code Image.resize} does when it is told nothing. */
    BICUBIC(2) {
        @Override
        double weight(double x) {
            double d = Math.abs(x);
            if (d < 1) {
                return ((A + 2) * d - (A + 3)) * d * d + 1;
            }
            return d < 2 ? (((d - 5) * d + 8) * d - 4) * A : 0;
        }
    };

    private static final double A = -0.5;

    private final double support;

    Resampling(double support) {
        this.support = support;
    }

    /** How far away a pixel may be and still count. */
    double support() {
        return support;
    }

    /** Of a pixel {@code x} pixels away. */
    abstract double weight(double x);
}
