package dev.distillery.diffusion.evaluate;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.tensor.Ops;
import dev.distillery.diffusion.tensor.Torch;

/**
 * What is left of many features: their mean (D) and, row by row, their covariance (D, D).
 *
 * @see <a href="https://github.com/mseitzer/pytorch-fid/blob/0.3.0/src/pytorch_fid/fid_score.py#L141">
 *     pytorch-fid's calculate_frechet_distance</a>
 */
public record Gaussian(double[] mean, double[] covariance) {

    /** @throws IllegalArgumentException if the covariance is not of the mean's width, or anything is not finite */
    public Gaussian {
        if (covariance.length != mean.length * mean.length) {
            throw new IllegalArgumentException("the covariance of " + mean.length + " features must have "
                    + (long) mean.length * mean.length + " numbers but has " + covariance.length);
        }
        if (!Arrays.stream(mean).allMatch(Double::isFinite)
                || !Arrays.stream(covariance).allMatch(Double::isFinite)) {
            throw new IllegalArgumentException("features must be finite, but their mean or covariance is not");
        }
    }

    /**
     * Statistics as pytorch-fid's {@code --save-stats} writes them: {@code mu} and {@code sigma} in a {@code .npz}.
     *
     * @throws IllegalArgumentException naming the file and what is wrong with it
     */
    public static Gaussian readNpz(Path file) {
        try (NDManager scope = Torch.newCpuManager()) {
            NDList arrays = arrays(file, scope);
            NDArray mean = arrays.get("mu");
            NDArray covariance = arrays.get("sigma");
            if (mean == null || covariance == null) {
                throw new IllegalArgumentException(file + " must hold the arrays 'mu' and 'sigma' but holds "
                        + arrays.stream().map(NDArray::getName).toList());
            }
            return new Gaussian(doubles(mean), doubles(covariance));
        }
    }

    private static NDList arrays(Path file, NDManager scope) {
        try (InputStream in = Files.newInputStream(file)) {
            return NDList.decode(scope, in);
        } catch (IOException | RuntimeException e) { // DJL throws whatever a malformed header leads to
            throw new IllegalArgumentException(file + " cannot be read as .npz: " + e, e);
        }
    }

    private static double[] doubles(NDArray array) {
        return array.toType(DataType.FLOAT64, false).toDoubleArray();
    }

    /**
     * Fréchet's distance, squared: {@code |m1 - m2|^2 + Tr(C1 + C2 - 2 (C1 C2)^(1/2))}, in float64.
     *
     * <p>The root's trace is taken as the sum of the singular values of {@code R1' R2}, where C = R R': their squares are the
     * eigenvalues of C1 C2. So a singular product, as of fewer images than features, is a case as any other: pytorch-fid's
     * root of the product itself may break down there, and only then adds 1e-6 to the diagonals.
     *
     * @throws IllegalArgumentException if the other's features have another width
     */
    public double frechetDistance(Gaussian other) {
        if (other.mean.length != mean.length) {
            throw new IllegalArgumentException("features of widths " + mean.length + " and " + other.mean.length
                    + " cannot be compared: both must come from the same network");
        }
        double distance = 0;
        for (int i = 0; i < mean.length; i++) {
            double difference = mean[i] - other.mean[i];
            distance +=
                    difference * difference + covariance[i * mean.length + i] + other.covariance[i * mean.length + i];
        }
        return distance - 2 * traceOfRoot(other);
    }

    private double traceOfRoot(Gaussian other) {
        Shape square = new Shape(mean.length, mean.length);
        try (NDManager scope = Torch.newCpuManager();
                Torch.GradMode off = Torch.gradMode(false)) {
            NDArray mine = scope.create(covariance, square);
            return Ops.call("trace_of_root", mine, scope.create(other.covariance, square))
                    .getDouble();
        }
    }
}
