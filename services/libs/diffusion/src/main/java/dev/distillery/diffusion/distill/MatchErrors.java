package dev.distillery.diffusion.distill;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Mean square errors of a student against its teacher, summed over pairs. Those of parts add up.
 *
 * @param pairs of image and caption
 * @param output of the prediction, for each bin of timesteps
 * @param feature of the blocks' outputs, summed over the blocks, for each bin
 */
public record MatchErrors(long pairs, double[] output, double[] feature) {
    public static final MatchErrors NONE =
            new MatchErrors(0, new double[TeacherMatch.BINS], new double[TeacherMatch.BINS]);

    public MatchErrors plus(MatchErrors other) {
        return new MatchErrors(pairs + other.pairs, sum(output, other.output), sum(feature, other.feature));
    }

    /** The mean of each bin. */
    public double[] meanOutput() {
        return mean(output);
    }

    /** The mean of each bin. */
    public double[] meanFeature() {
        return mean(feature);
    }

    /** Over all bins. */
    public double outputError() {
        return Arrays.stream(meanOutput()).average().orElseThrow();
    }

    /** Over all bins. */
    public double featureError() {
        return Arrays.stream(meanFeature()).average().orElseThrow();
    }

    private double[] mean(double[] sums) {
        return Arrays.stream(sums).map(sum -> sum / pairs).toArray();
    }

    private static double[] sum(double[] x, double[] y) {
        return IntStream.range(0, x.length).mapToDouble(i -> x[i] + y[i]).toArray();
    }
}
