package dev.distillery.diffusion.distill;

import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.BinaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.distillery.diffusion.schedule.NoiseSchedule;
import dev.distillery.diffusion.tensor.Ops;
import dev.distillery.diffusion.unet.UNet2DCondition;
import dev.distillery.diffusion.unet.UNetConfig;

/**
 * What training makes small.
 *
 * @param weighting of the samples of a batch
 * @param huber the distance from which errors count by their size and no more by its square; empty: mean square error
 * @param points where features are compared
 * @param relative whether each feature's term is divided by the mean square of the teacher's feature, so that the blocks
 *     of large numbers do not rule
 */
public record Objective(
        LossWeights weights, SampleWeighting weighting, OptionalDouble huber, FeaturePoints points, boolean relative) {

    /** That of BK-SDM and of diffengine's DistillSDXL. */
    public static final Objective PLAIN =
            new Objective(LossWeights.EQUAL, SampleWeighting.EQUAL, OptionalDouble.empty(), FeaturePoints.BLOCK, false);

    /** Where the student's outputs are compared with the teacher's, the prediction among them. */
    Set<String> sites(UNetConfig teacher, Student student) {
        return Stream.concat(
                        points.pairs(teacher, student).stream().map(FeaturePoints.Pair::student),
                        Stream.of(UNet2DCondition.PREDICTION))
                .collect(Collectors.toUnmodifiableSet());
    }

    /** The loss of a prediction and its target: the mean error, each sample of the batch weighted. */
    BinaryOperator<NDArray> difference(Batch batch, NoiseSchedule schedule, NDManager scope) {
        if (weighting instanceof SampleWeighting.Equal && huber.isEmpty() && batch.weights() == null) {
            return Ops::mse;
        }
        double[] snr = schedule.signalToNoise(batch.timesteps());
        float[] weights = new float[snr.length];
        for (int i = 0; i < snr.length; i++) {
            double weight = batch.weights() == null ? 1 : batch.weights()[i];
            weights[i] = (float) (weight * weighting.weight(snr[i], schedule.prediction()));
        }
        NDArray ofSamples = scope.create(weights);
        if (huber.isPresent()) {
            double delta = huber.getAsDouble();
            return (x, y) -> Ops.call("huber_of_samples", x, y, ofSamples, delta);
        }
        return (x, y) -> Ops.call("mse_of_samples", x, y, ofSamples);
    }

    /** The loss of a student's feature and its teacher's. */
    BinaryOperator<NDArray> featureDifference(BinaryOperator<NDArray> difference) {
        if (!relative) {
            return difference;
        }
        return (x, y) -> {
            try (NDArray absolute = difference.apply(x, y)) {
                return Ops.call("relative", absolute, y);
            }
        };
    }
}
