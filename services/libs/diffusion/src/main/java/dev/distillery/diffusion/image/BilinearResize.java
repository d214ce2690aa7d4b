package dev.distillery.diffusion.image;

/**
 * Pillow's {@code Image.resize(size, BILINEAR)} to the byte: a triangle filter, as wide as the scale when it shrinks
 * (antialiasing), first along the rows, then along the columns, each pass in fixed point and rounded to 8 bits.
 *
 * <p>Source: {@code src/libImaging/Resample.c} of Pillow.
 */
final class BilinearResize {
    /** Fraction bits of a weight: 32 bits less 8 of the pixel and 2 spare ones for the sum. */
    private static final int FRACTION_BITS = 32 - 8 - 2;

    private BilinearResize() {}

    static RgbImage resize(RgbImage image, int width, int height) {
        byte[] rows = image.rgb();
        if (width != image.width()) {
            rows = pass(rows, image.height(), 3 * image.width(), 3 * width, 3, new Filter(image.width(), width));
        }
        if (height != image.height()) {
            // A column is like a row whose pixels lie a whole row apart.
            rows = columns(rows, 3 * width, new Filter(image.height(), height));
        }
        return new RgbImage(width, height, rows == image.rgb() ? rows.clone() : rows);
    }

    private static byte[] pass(byte[] source, int lines, int sourceStride, int targetStride, int step, Filter filter) {
        byte[] target = new byte[lines * targetStride];
        for (int line = 0; line < lines; line++) {
            for (int i = 0; i < filter.size(); i++) {
                for (int c = 0; c < step; c++) {
                    target[line * targetStride + i * step + c] = filter.apply(i, source, line * sourceStride + c, step);
                }
            }
        }
        return target;
    }

    private static byte[] columns(byte[] source, int stride, Filter filter) {
        byte[] target = new byte[filter.size() * stride];
        for (int i = 0; i < filter.size(); i++) {
            for (int x = 0; x < stride; x++) {
                target[i * stride + x] = filter.apply(i, source, x, stride);
            }
        }
        return target;
    }

    /** For each output position the first input position and the weights from there on. */
    private static final class Filter {
        private final int[] first;
        private final int[][] weights;

        Filter(int inputs, int outputs) {
            first = new int[outputs];
            weights = new int[outputs][];
            double scale = (double) inputs / outputs;
            double support = Math.max(scale, 1);
            for (int i = 0; i < outputs; i++) {
                double center = (i + 0.5) * scale;
                first[i] = Math.max(0, (int) (center - support + 0.5));
                int end = Math.min(inputs, (int) (center + support + 0.5));
                weights[i] = fixedPoint(triangle(first[i], end, center, support));
            }
        }

        private static double[] triangle(int from, int to, double center, double support) {
            double[] weights = new double[to - from];
            // Multiplied by the inverse and divided by the sum, in this order, because Pillow does: it rounds alike.
            double inverse = 1 / support;
            double sum = 0;
            for (int x = 0; x < weights.length; x++) {
                weights[x] = Math.max(0, 1 - Math.abs((x + from - center + 0.5) * inverse));
                sum += weights[x];
            }
            for (int x = 0; x < weights.length && sum != 0; x++) {
                weights[x] /= sum;
            }
            return weights;
        }

        private static int[] fixedPoint(double[] weights) {
            int[] fixed = new int[weights.length];
            for (int x = 0; x < weights.length; x++) {
                fixed[x] = (int) (0.5 + weights[x] * (1 << FRACTION_BITS));
            }
            return fixed;
        }

        int size() {
            return first.length;
        }

        byte apply(int output, byte[] source, int offset, int step) {
            int sum = 1 << (FRACTION_BITS - 1);
            int at = offset + first[output] * step;
            for (int weight : weights[output]) {
                sum += weight * (source[at] & 0xff);
                at += step;
            }
            return (byte) Math.max(0, Math.min(255, sum >> FRACTION_BITS));
        }
    }
}
