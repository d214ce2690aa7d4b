package dev.distillery.diffusion.schedule;

import java.util.ArrayDeque;
import java.util.Deque;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.diffusion.schedule.NoiseSchedule.Prediction;
import dev.distillery.diffusion.tensor.Torch;

/**
 * The linear multistep method for diffusion (PLMS, arXiv 2202.09778, section 3.3), which goes on from the last four
 * predictions. Instead of Runge-Kutta steps the first step is done twice, the second time with the mean of what was
 * predicted at both of its ends: so there is one pass more than steps.
 *
 * @see <a href="https://github.com/huggingface/diffusers/blob/v0.35.1/src/diffusers/schedulers/scheduling_pndm.py#L73">
 *     PNDMScheduler</a>
 */
public final class Pndm extends VariancePreserving {
    /** By how many predictions there are, the newest first: Adams and Bashforth's methods. */
    private static final double[][] WEIGHTS = {
        {1}, {3 / 2.0, -1 / 2.0}, {23 / 12.0, -16 / 12.0, 5 / 12.0}, {55 / 24.0, -59 / 24.0, 37 / 24.0, -9 / 24.0}
    };

    private final NDManager memory = Torch.newManager(); // owns what outlives a step
    private final Deque<NDArray> predictions = new ArrayDeque<>(); // the newest first
    private NDArray start; // the noise, until the first step has been done twice

    /** @throws IllegalArgumentException naming a setting that is not supported */
    public Pndm(JsonNode config, int steps) {
        super(config, steps, false, Pndm::secondTwice);
        Spacing.refuse(config, "rescale_betas_zero_snr");
        if (!config.path("skip_prk_steps").asBoolean(false)) {
            throw new IllegalArgumentException("scheduler config: 'skip_prk_steps' must be true but is false");
        }
    }

    private static double[] secondTwice(double[] spaced) {
        if (spaced.length == 1) {
            return spaced;
        }
        double[] visited = new double[spaced.length + 1];
        System.arraycopy(spaced, 0, visited, 0, 2);
        System.arraycopy(spaced, 1, visited, 2, spaced.length - 1);
        return visited;
    }

    @Override
    public NDArray step(NDArray output, int step, NDArray sample) {
        int t = (int) timesteps[step];
        if (step == 1) {
            NDArray mean = output.add(predictions.getFirst()).div(2);
            start.attach(output.getManager());
            return move(mean, start, t + stride, t);
        }
        if (step == 0) {
            forget();
            start = remembered(sample);
        }
        predictions.addFirst(remembered(output));
        if (predictions.size() > WEIGHTS.length) {
            predictions.removeLast().close();
        }
        return move(combined(output.getManager()), sample, t, t - stride);
    }

    private NDArray combined(NDManager scope) {
        double[] weights = WEIGHTS[predictions.size() - 1];
        NDArray sum = scope.zeros(predictions.getFirst().getShape());
        int i = 0;
        for (NDArray prediction : predictions) {
            try (NDArray part = prediction.mul((float) weights[i++])) {
                sum.addi(part);
            }
        }
        return sum;
    }

    /** From timestep {@code from} to {@code to}: equation 11 of the paper. */
    private NDArray move(NDArray output, NDArray sample, int from, int to) {
        float alpha = alpha(from);
        float next = alpha(to);
        NDArray noise = schedule.prediction() == Prediction.EPSILON
                ? output
                : output.mul((float) Math.sqrt(alpha)).add(sample.mul((float) Math.sqrt(1 - alpha)));
        float denominator = alpha * (float) Math.sqrt(1 - next) + (float) Math.sqrt(alpha * (1 - alpha) * next);
        return noise.mul((alpha - next) / denominator).add(sample.mul((float) Math.sqrt(next / alpha)));
    }

    private NDArray remembered(NDArray array) {
        NDArray copy = array.duplicate();
        copy.attach(memory);
        return copy;
    }

    private void forget() {
        predictions.forEach(NDArray::close);
        predictions.clear();
    }

    @Override
    public void close() {
        memory.close();
    }
}
