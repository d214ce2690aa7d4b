package dev.distillery.converter.report;

import java.util.ArrayList;
import java.util.List;

/**
 * One curve: {@code y[i]} at {@code x[i]}, x rising.
 *
 * @param label what the curve shows
 */
public record Series(String label, double[] x, double[] y) {

    public Series {
        if (x.length != y.length) {
            throw new IllegalArgumentException(
                    "Series '" + label + "' has " + x.length + " x values but " + y.length + " y values");
        }
    }

    /** The points that a chart can show: finite, and positive where {@code positive} (a log scale) asks for it. */
    public Series drawable(boolean positive) {
        List<Integer> keep = new ArrayList<>();
        for (int i = 0; i < y.length; i++) {
            if (Double.isFinite(y[i]) && (!positive || y[i] > 0)) {
                keep.add(i);
            }
        }
        return new Series(
                label,
                keep.stream().mapToDouble(i -> x[i]).toArray(),
                keep.stream().mapToDouble(i -> y[i]).toArray());
    }

    /** The moving average with weight falling by {@code 1 - 1/window} a point, corrected for its start at nothing. */
    public Series smoothed() {
        double keep = 1 - 1.0 / Math.max(1, y.length / 25.0);
        double[] smooth = new double[y.length];
        double sum = 0;
        double weight = 0;
        for (int i = 0; i < y.length; i++) {
            sum = keep * sum + y[i];
            weight = keep * weight + 1;
            smooth[i] = sum / weight;
        }
        return new Series(label, x, smooth);
    }

    /** At most {@code most} points, the first and the last among them, so that a page of a long run stays small. */
    Series thinned(int most) {
        if (y.length <= most) {
            return this;
        }
        double[] fewerX = new double[most];
        double[] fewerY = new double[most];
        for (int i = 0; i < most; i++) {
            int from = (int) ((long) i * (y.length - 1) / (most - 1));
            fewerX[i] = x[from];
            fewerY[i] = y[from];
        }
        return new Series(label, fewerX, fewerY);
    }

    public double first() {
        return y[0];
    }

    public double last() {
        return y[y.length - 1];
    }
}
