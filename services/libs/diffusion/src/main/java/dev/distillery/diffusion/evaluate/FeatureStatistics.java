package dev.distillery.diffusion.evaluate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import dev.distillery.diffusion.tensor.Ops;
import dev.distillery.diffusion.tensor.Torch;

/**
 * Of a number of features what their mean and covariance follow from. Parts of a set add up to the whole, however it was
 * parted, but for the rounding of float64.
 *
 * @param mean (D)
 * @param comoments sums of the products of the deviations from the mean (D, D), row by row
 * @see <a href="https://doi.org/10.1007/978-3-642-51461-6_3">Chan, Golub and LeVeque, Updating formulae</a>
 */
public record FeatureStatistics(long count, double[] mean, double[] comoments) {

    /** Of features {@code (N, D)}, at least one. */
    public static FeatureStatistics of(NDArray features) {
        int width = (int) features.getShape().get(1);
        try (NDManager scope = features.getManager().newSubManager();
                Torch.GradMode off = Torch.gradMode(false)) {
            NDArray wide = features.toType(DataType.FLOAT64, true);
            wide.attach(scope);
            double[] moments = Ops.call("mean_and_comoments", wide).toDoubleArray();
            double[] mean = new double[width];
            double[] comoments = new double[width * width];
            System.arraycopy(moments, 0, mean, 0, width);
            System.arraycopy(moments, width, comoments, 0, comoments.length);
            return new FeatureStatistics(features.getShape().get(0), mean, comoments);
        }
    }

    /**
     * Of these features and those.
     *
     * @throws IllegalArgumentException if they have another width
     */
    public FeatureStatistics plus(FeatureStatistics other) {
        int width = mean.length;
        if (other.mean.length != width) {
            throw new IllegalArgumentException(
                    "features of widths " + width + " and " + other.mean.length + " cannot be added up");
        }
        long all = count + other.count;
        double share = (double) other.count / all;
        double[] away = new double[width];
        double[] joined = new double[width];
        for (int i = 0; i < width; i++) {
            away[i] = other.mean[i] - mean[i];
            joined[i] = mean[i] + away[i] * share;
        }
        double[] sums = new double[comoments.length];
        for (int i = 0, at = 0; i < width; i++) {
            double between = away[i] * count * share;
            for (int j = 0; j < width; j++, at++) {
                sums[at] = comoments[at] + other.comoments[at] + between * away[j];
            }
        }
        return new FeatureStatistics(all, joined, sums);
    }

    /**
     * Mean and unbiased covariance, as {@code numpy.cov} gives it.
     *
     * @throws IllegalStateException if there is one feature only
     */
    public Gaussian gaussian() {
        if (count < 2) {
            throw new IllegalStateException("a covariance needs two images or more but there is " + count);
        }
        double[] covariance = comoments.clone();
        for (int i = 0; i < covariance.length; i++) {
            covariance[i] /= count - 1;
        }
        return new Gaussian(mean, covariance);
    }
}
