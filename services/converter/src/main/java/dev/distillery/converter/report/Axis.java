package dev.distillery.converter.report;

import java.util.ArrayList;
import java.util.List;

/** A scale from values to pixels, with the values at which to draw a line and a label. */
sealed interface Axis {

    /** Where {@code value} lies between the ends of the axis, 0 to 1. */
    double place(double value);

    /** Round values on the axis, rising. */
    List<Double> ticks();

    /** An axis over {@code [0, most]} with about {@code count} ticks. */
    static Axis linear(double most, int count) {
        return new Linear(most <= 0 ? 1 : most, count);
    }

    /** A logarithmic axis over {@code [least, most]}, both positive, widened to at least a factor of 2. */
    static Axis log(double least, double most) {
        double spread = Math.max(Math.log10(most / least), Math.log10(2));
        double pad = 0.06 * spread;
        double middle = (Math.log10(least) + Math.log10(most)) / 2;
        return new Log(middle - spread / 2 - pad, middle + spread / 2 + pad);
    }

    /** @param most value at the far end; the near end is 0 */
    record Linear(double most, int count) implements Axis {
        @Override
        public double place(double value) {
            return value / most;
        }

        @Override
        public List<Double> ticks() {
            double rough = most / count;
            double decade = Math.pow(10, Math.floor(Math.log10(rough)));
            double step = 10 * decade;
            for (double nice : new double[] {1, 2, 5}) {
                if (nice * decade >= rough) {
                    step = nice * decade;
                    break;
                }
            }
            List<Double> ticks = new ArrayList<>();
            for (int i = 0; i * step <= most * 1.0001; i++) {
                ticks.add(i * step);
            }
            return ticks;
        }
    }

    /** Ends as powers of ten. */
    record Log(double from, double to) implements Axis {
        private static final double[] FINE = {1, 1.5, 2, 3, 5, 7};
        private static final double[] MIDDLE = {1, 2, 5};
        private static final double[] COARSE = {1};

        @Override
        public double place(double value) {
            return (Math.log10(value) - from) / (to - from);
        }

        @Override
        public List<Double> ticks() {
            double decades = to - from;
            double[] digits = decades < 0.7 ? FINE : decades < 2.2 ? MIDDLE : COARSE;
            List<Double> ticks = new ArrayList<>();
            for (int decade = (int) Math.floor(from); decade <= Math.ceil(to); decade++) {
                for (double digit : digits) {
                    double tick = digit * Math.pow(10, decade);
                    if (place(tick) >= 0 && place(tick) <= 1) {
                        ticks.add(tick);
                    }
                }
            }
            return ticks;
        }
    }
}
