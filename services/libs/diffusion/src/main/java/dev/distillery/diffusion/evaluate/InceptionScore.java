package dev.distillery.diffusion.evaluate;

import java.util.Arrays;
import java.util.List;

/**
 * How surely each picture is of one class, and how many classes there are: {@code exp(E KL(p(y|x) || p(y)))}, by parts of the
 * pictures. It depends on the order of the pictures: they are shuffled with a fixed seed and split.
 *
 * @param mean over the parts
 * @param deviation over the parts, that of the population
 * @see <a href="https://github.com/toshas/torch-fidelity/blob/v0.3.0/torch_fidelity/metric_isc.py#L12">
 *     torch-fidelity's isc_features_to_metric</a>
 */
public record InceptionScore(double mean, double deviation) {
    /** As usual, and torch-fidelity's default. */
    public static final int SPLITS = 10;

    private static final int SEED = 2020;

    /**
     * Of logits, or of logarithms of probabilities: one array of all classes for each picture.
     *
     * @throws IllegalArgumentException if there are fewer pictures than parts
     */
    public static InceptionScore of(List<float[]> logits, int splits) {
        int n = logits.size();
        if (splits < 1 || n < splits) {
            throw new IllegalArgumentException(
                    "an Inception Score in " + splits + " parts needs at least as many images but there are " + n);
        }
        int[] order = new NumpyRandom(SEED).permutation(n);
        double[] scores = new double[splits];
        for (int part = 0; part < splits; part++) {
            int from = (int) ((long) part * n / splits);
            int to = (int) ((long) (part + 1) * n / splits);
            scores[part] = score(Arrays.stream(order, from, to)
                    .mapToObj(i -> logProbabilities(logits.get(i)))
                    .toList());
        }
        double mean = Arrays.stream(scores).average().orElseThrow();
        double variance = Arrays.stream(scores)
                .map(score -> (score - mean) * (score - mean))
                .average()
                .orElseThrow();
        return new InceptionScore(mean, Math.sqrt(variance));
    }

    private static double[] logProbabilities(float[] logits) {
        double largest = Float.NEGATIVE_INFINITY;
        for (float logit : logits) {
            largest = Math.max(largest, logit);
        }
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - largest);
        }
        double[] logs = new double[logits.length];
        for (int c = 0; c < logs.length; c++) {
            logs[c] = logits[c] - largest - Math.log(sum);
        }
        return logs;
    }

    private static double score(List<double[]> logs) {
        int classes = logs.get(0).length;
        double[] marginal = new double[classes];
        for (double[] of : logs) {
            for (int c = 0; c < classes; c++) {
                marginal[c] += Math.exp(of[c]) / logs.size();
            }
        }
        double divergence = 0;
        for (double[] of : logs) {
            for (int c = 0; c < classes; c++) {
                double p = Math.exp(of[c]);
                divergence += p == 0 ? 0 : p * (of[c] - Math.log(marginal[c]));
            }
        }
        return Math.exp(divergence / logs.size());
    }
}
