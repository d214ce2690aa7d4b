package dev.distillery.diffusion.schedule;

import java.util.Arrays;
import java.util.function.UnaryOperator;

import ai.djl.ndarray.NDArray;
import com.fasterxml.jackson.databind.JsonNode;

/** What DDIM and PNDM share: whole timesteps evenly apart, and a sample of variance one that the network sees as it is. */
abstract class VariancePreserving implements Sampler {
    final NoiseSchedule schedule;
    final double[] timesteps;
    final int stride;

    private final float finalAlpha;

    /**
     * @param toOne whether nothing of the noise is left after the last step, where the config does not say
     * @param visited makes of timesteps evenly apart those that are visited
     */
    VariancePreserving(JsonNode config, int steps, boolean toOne, UnaryOperator<double[]> visited) {
        schedule = NoiseSchedule.of(config);
        timesteps = visited.apply(Arrays.stream(Spacing.of(config, Spacing.LEADING, schedule.steps(), steps))
                .map(Math::rint)
                .toArray());
        stride = schedule.steps() / steps;
        finalAlpha = config.path("set_alpha_to_one").asBoolean(toOne) ? 1 : schedule.alphasCumprod()[0];
    }

    /** The product of alphas up to a timestep; one below 0 is where the last step leads. */
    final float alpha(int timestep) {
        return timestep >= 0 ? schedule.alphasCumprod()[timestep] : finalAlpha;
    }

    @Override
    public double[] timesteps() {
        return timesteps.clone();
    }

    @Override
    public double initNoiseSigma() {
        return 1;
    }

    @Override
    public NDArray scaleModelInput(NDArray sample, int step) {
        return sample.duplicate();
    }
}
