package dev.distillery.diffusion.evaluate;

import java.util.Arrays;
import java.util.stream.IntStream;

import ai.djl.ndarray.NDArray;

/**
 * How well pictures fit their captions: the mean cosine of CLIP's features of both, not scaled and not cut at 0. Scores of
 * parts add up.
 *
 * @param sum of the cosines of so many pairs
 * @see <a href="https://github.com/Nota-NetsPresso/BK-SDM/blob/main/src/eval_clip_score.py">BK-SDM's eval_clip_score</a>
 */
public record ClipScore(long pairs, double sum) {
    public static final ClipScore NONE = new ClipScore(0, 0);

    /** Of {@link #cosines}. */
    public static ClipScore of(double[] cosines) {
        return new ClipScore(cosines.length, Arrays.stream(cosines).sum());
    }

    /** Of image and text features, both {@code (N, D)}; row i of the one belongs to row i of the other. */
    public static double[] cosines(NDArray images, NDArray texts) {
        if (!images.getShape().equals(texts.getShape())) {
            throw new IllegalArgumentException("image features " + images.getShape() + " and text features "
                    + texts.getShape() + " must have one shape");
        }
        float[] x = images.toFloatArray();
        float[] y = texts.toFloatArray();
        int pairs = (int) images.getShape().get(0);
        int width = x.length / pairs;
        return IntStream.range(0, pairs)
                .mapToDouble(pair -> cosine(x, y, pair * width, width))
                .toArray();
    }

    private static double cosine(float[] x, float[] y, int from, int width) {
        double xy = 0;
        double xx = 0;
        double yy = 0;
        for (int i = from; i < from + width; i++) {
            xy += (double) x[i] * y[i];
            xx += (double) x[i] * x[i];
            yy += (double) y[i] * y[i];
        }
        return xy / Math.sqrt(xx * yy);
    }

    public ClipScore plus(ClipScore other) {
        return new ClipScore(pairs + other.pairs, sum + other.sum);
    }

    /** -1 to 1; of trained pictures usually about 0.3. */
    public double mean() {
        return sum / pairs;
    }
}
