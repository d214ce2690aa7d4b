package dev.distillery.diffusion.schedule;

import java.util.function.UnaryOperator;

import ai.djl.ndarray.NDArray;
import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.diffusion.schedule.NoiseSchedule.Prediction;

/**
 * Deterministic DDIM (arXiv 2010.02502, equation 12 with eta 0).
 *
 * @see <a href="https://github.com/huggingface/diffusers/blob/v0.35.1/src/diffusers/schedulers/scheduling_ddim.py#L131">
 *     DDIMScheduler</a>
 */
public final class Ddim extends VariancePreserving {
    private final float clip; // 0: not at all

    /** @throws IllegalArgumentException naming a setting that is not supported */
    public Ddim(JsonNode config, int steps) {
        super(config, steps, true, UnaryOperator.identity());
        Spacing.refuse(config, "thresholding");
        clip = config.path("clip_sample").asBoolean(true)
                ? (float) config.path("clip_sample_range").asDouble(1)
                : 0;
    }

    @Override
    public NDArray step(NDArray output, int step, NDArray sample) {
        int t = (int) timesteps[step];
        float alpha = alpha(t);
        float before = alpha(t - stride);
        float signal = (float) Math.sqrt(alpha);
        float noise = (float) Math.sqrt(1 - alpha);
        boolean epsilon = schedule.prediction() == Prediction.EPSILON;
        NDArray original = epsilon
                ? sample.sub(output.mul(noise)).div(signal)
                : sample.mul(signal).sub(output.mul(noise));
        NDArray direction = epsilon ? output : output.mul(signal).add(sample.mul(noise));
        NDArray kept = clip > 0 ? original.clip(-clip, clip) : original;
        return kept.mul((float) Math.sqrt(before)).add(direction.mul((float) Math.sqrt(1 - before)));
    }
}
