package dev.distillery.diffusion.evaluate;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.diffusion.safetensors.SafetensorsWriter;
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

    /** Writes them as a safetensors file of {@code count}, {@code mean} and {@code comoments}, and closes the channel. */
    public void write(WritableByteChannel channel) throws IOException {
        var plan = new SafetensorsWriter.Plan()
                .add("count", DType.I64, 1)
                .add("mean", DType.F64, mean.length)
                .add("comoments", DType.F64, mean.length, mean.length);
        try (var writer = new SafetensorsWriter(channel, plan)) {
            writer.write("count", littleEndian(1).putLong(0, count));
            writer.write("mean", bytes(mean));
            writer.write("comoments", bytes(comoments));
        }
    }

    /** What {@link #write} wrote. */
    public static FeatureStatistics read(SafetensorsFile file) {
        return new FeatureStatistics(file.data("count").getLong(0), doubles(file, "mean"), doubles(file, "comoments"));
    }

    private static double[] doubles(SafetensorsFile file, String name) {
        var values = file.data(name).asDoubleBuffer();
        double[] doubles = new double[values.remaining()];
        values.get(doubles);
        return doubles;
    }

    private static ByteBuffer bytes(double[] values) {
        ByteBuffer bytes = littleEndian(values.length);
        bytes.asDoubleBuffer().put(values);
        return bytes;
    }

    private static ByteBuffer littleEndian(int numbers) {
        return ByteBuffer.allocate(Math.multiplyExact(numbers, Double.BYTES)).order(ByteOrder.LITTLE_ENDIAN);
    }
}
