package dev.distillery.diffusion.schedule;

import java.util.Arrays;

import ai.djl.ndarray.NDArray;
import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.diffusion.schedule.NoiseSchedule.Prediction;

/**
 * Euler's method on the probability-flow equation (arXiv 2206.00364, algorithm 2 without churn).
 *
 * @see <a href="https://github.com/huggingface/diffusers/blob/v0.35.1/src/diffusers/schedulers/scheduling_euler_discrete.py#L134">
 *     EulerDiscreteScheduler</a>
 */
public final class EulerDiscrete implements Sampler {
    /**
     * Where no signal is left sigma would be infinite; diffusers puts alpha at 2^-24 there. The root of (1 - a) / a then
     * lies all but halfway between two floats, of which PyTorch takes this one; the first step, down to a thousandth of
     * it, would show the other.
     */
    private static final float ZERO_SNR_SIGMA = 4096;

    private final Prediction prediction;
    private final double[] timesteps;
    private final float[] sigmas; // one more than timesteps: the last is 0
    private final boolean leading;

    /** @throws IllegalArgumentException naming a setting that is not supported */
    public EulerDiscrete(JsonNode config, int steps) {
        Spacing.refuse(config, "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas");
        Spacing.demand(config, "interpolation_type", "linear");
        Spacing.demand(config, "timestep_type", "discrete");
        Spacing.demand(config, "final_sigmas_type", "zero");
        NoiseSchedule schedule = NoiseSchedule.of(config);
        prediction = schedule.prediction();
        timesteps = Spacing.of(config, Spacing.LINSPACE, schedule.steps(), steps);
        leading = config.path("timestep_spacing").asText().equals("leading");
        float[] trained = new float[schedule.steps()];
        for (int t = 0; t < trained.length; t++) {
            float alpha = schedule.alphasCumprod()[t];
            trained[t] = (float) Math.sqrt((1 - alpha) / alpha);
        }
        if (config.path("rescale_betas_zero_snr").asBoolean(false)) {
            trained[trained.length - 1] = ZERO_SNR_SIGMA;
        }
        sigmas = new float[steps + 1];
        for (int i = 0; i < steps; i++) {
            sigmas[i] = (float) interpolate(trained, timesteps[i]);
        }
    }

    private static double interpolate(float[] values, double at) {
        int below = (int) Math.min(Math.floor(at), values.length - 1);
        int above = Math.min(below + 1, values.length - 1);
        return values[below] + (at - below) * ((double) values[above] - values[below]);
    }

    @Override
    public double[] timesteps() {
        return timesteps.clone();
    }

    @Override
    public double initNoiseSigma() {
        double largest = sigmas[0];
        return leading ? Math.sqrt(largest * largest + 1) : largest;
    }

    @Override
    public NDArray scaleModelInput(NDArray sample, int step) {
        double sigma = sigmas[step];
        return sample.div((float) Math.sqrt(sigma * sigma + 1));
    }

    @Override
    public NDArray step(NDArray output, int step, NDArray sample) {
        float sigma = sigmas[step];
        float variance = sigma * sigma + 1;
        NDArray original = prediction == Prediction.EPSILON
                ? sample.sub(output.mul(sigma))
                : output.mul(-sigma / (float) Math.sqrt(variance)).add(sample.div(variance));
        NDArray derivative = sample.sub(original).div(sigma);
        return sample.add(derivative.mul(sigmas[step + 1] - sigma));
    }

    @Override
    public String toString() {
        return "EulerDiscrete" + Arrays.toString(timesteps);
    }
}
