package dev.distillery.diffusion.image;

import java.util.Arrays;

/**
 * Pillow's {@code Image.resize} to the byte: a filter, stretched by the scale when it shrinks (antialiasing), first along the
 * rows, then along the columns, each pass in fixed point and rounded to 8 bits.
 *
 * <p>Source: {@code src/libImaging/Resample.c} of Pillow.
 */
final class Resize {
    /** Fraction bits of a weight: 32 bits less 8 of the pixel and 2 spare ones for the sum. */
    private static final int FRACTION_BITS = 32 - 8 - 2;

    private Resize() {}

    static RgbImage resize(RgbImage image, int width, int height, Resampling resampling) {
        byte[] rows = image.rgb();
        if (width != image.width()) {
            var filter = new Filter(image.width(), width, resampling);
            rows = pass(rows, image.height(), 3 * image.width(), 3 * width, 3, filter);
        }
        if (height != image.height()) {
            // A column is like a row whose pixels lie a whole row apart.
            rows = columns(rows, 3 * width, new Filter(image.height(), height, resampling));
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
        int[] sums = new int[stride]; // row by row, which the compiler makes vectors of
        for (int i = 0; i < filter.size(); i++) {
            filter.row(i, source, sums);
            for (int x = 0; x < stride; x++) {
                target[i * stride + x] = Filter.rounded(sums[x]);
            }
        }
        return target;
    }

    /** For each output position the first input position and the weights from there on. */
    private static final class Filter {
        private final int[] first;
        private final int[][] weights;

        Filter(int inputs, int outputs, Resampling resampling) {
            first = new int[outputs];
            weights = new int[outputs][];
            double scale = (double) inputs / outputs;
            double stretch = Math.max(scale, 1);
            double support = resampling.support() * stretch;
            for (int i = 0; i < outputs; i++) {
                double center = (i + 0.5) * scale;
                first[i] = Math.max(0, (int) (center - support + 0.5));
                int end = Math.min(inputs, (int) (center + support + 0.5));
                weights[i] = fixedPoint(weights(first[i], end, center, stretch, resampling));
            }
        }

        private static double[] weights(int from, int to, double center, double stretch, Resampling resampling) {
            double[] weights = new double[to - from];
            // Multiplied by the inverse and divided by the sum, in this order, because Pillow does: it rounds alike.
            double inverse = 1 / stretch;
            double sum = 0;
            for (int x = 0; x < weights.length; x++) {
                weights[x] = resampling.weight((x + from - center + 0.5) * inverse);
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
                fixed[x] = (int) (Math.copySign(0.5, weights[x]) + weights[x] * (1 << FRACTION_BITS));
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
            return rounded(sum);
        }

        /** The sums of an output row, whose input rows are as long as {@code sums}. */
        void row(int output, byte[] source, int[] sums) {
            Arrays.fill(sums, 1 << (FRACTION_BITS - 1));
            int at = first[output] * sums.length;
            for (int weight : weights[output]) {
                for (int x = 0; x < sums.length; x++) {
                    sums[x] += weight * (source[at + x] & 0xff);
                }
                at += sums.length;
            }
        }

        static byte rounded(int sum) {
            return (byte) Math.max(0, Math.min(255, sum >> FRACTION_BITS));
        }
    }
}
