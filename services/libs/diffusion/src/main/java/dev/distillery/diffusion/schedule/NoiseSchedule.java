package dev.distillery.diffusion.schedule;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

/**
 * The forward process: how much signal is left at each timestep, and what a network is asked to predict.
 *
 * @param alphasCumprod signal power at each timestep, in float32; to the bit as diffusers has it, but for zero terminal SNR
 * @param prediction what the network predicts
 * @see <a href="https://github.com/huggingface/diffusers/blob/v0.35.1/src/diffusers/schedulers/scheduling_ddpm.py#L184">
 *     DDPMScheduler</a>
 */
public record NoiseSchedule(float[] alphasCumprod, Prediction prediction) {
    /** {@code prediction_type}. */
    public enum Prediction {
        EPSILON,
        V_PREDICTION
    }

    /** Reads {@code DIR/scheduler_config.json} of any of diffusers' schedulers: the noise is theirs all alike. */
    public static NoiseSchedule read(Path folder) {
        Path file = folder.resolve("scheduler_config.json");
        try {
            return of(new ObjectMapper().readTree(Files.readAllBytes(file)));
        } catch (IOException e) {
            throw new IllegalArgumentException(file + " cannot be read: " + e.getMessage(), e);
        }
    }

    /** @throws IllegalArgumentException naming a setting that is not known */
    public static NoiseSchedule of(JsonNode config) {
        if (config.hasNonNull("trained_betas")) {
            throw new IllegalArgumentException("scheduler config: 'trained_betas' must be null");
        }
        int steps = config.path("num_train_timesteps").asInt(1000);
        float[] betas = Betas.of(
                config.path("beta_schedule").asText("linear"),
                config.path("beta_start").asDouble(0.0001),
                config.path("beta_end").asDouble(0.02),
                steps);
        if (config.path("rescale_betas_zero_snr").asBoolean(false)) {
            betas = Betas.withZeroTerminalSnr(betas);
        }
        float[] cumprod = Betas.alphasCumprod(betas);
        String prediction = config.path("prediction_type").asText("epsilon");
        return switch (prediction) {
            case "epsilon" -> new NoiseSchedule(cumprod, Prediction.EPSILON);
            case "v_prediction" -> new NoiseSchedule(cumprod, Prediction.V_PREDICTION);
            default ->
                throw new IllegalArgumentException("scheduler config: 'prediction_type' must be epsilon or"
                        + " v_prediction but is " + prediction);
        };
    }

    public int steps() {
        return alphasCumprod.length;
    }

    /** Noisy latents: {@code latents} and {@code noise (B, C, H, W)}, {@code timesteps (B)}, one for each. */
    public NDArray addNoise(NDArray latents, NDArray noise, NDArray timesteps) {
        return latents.mul(root(latents, timesteps, true)).add(noise.mul(root(latents, timesteps, false)));
    }

    /** The velocity of arXiv 2202.00512: {@code sqrt(a) noise - sqrt(1-a) latents}. */
    public NDArray velocity(NDArray latents, NDArray noise, NDArray timesteps) {
        return noise.mul(root(latents, timesteps, true)).sub(latents.mul(root(latents, timesteps, false)));
    }

    /** What the network should predict: the noise or the velocity. */
    public NDArray target(NDArray latents, NDArray noise, NDArray timesteps) {
        return prediction == Prediction.EPSILON ? noise : velocity(latents, noise, timesteps);
    }

    /** How much stronger the signal is than the noise, in power, at each of {@code timesteps (B)}. */
    public double[] signalToNoise(NDArray timesteps) {
        float[] power = signalPower(timesteps);
        double[] snr = new double[power.length];
        for (int i = 0; i < power.length; i++) {
            snr[i] = power[i] / (1.0 - power[i]);
        }
        return snr;
    }

    /** sqrt(a) or sqrt(1-a) of each timestep, (B, 1, 1, 1). */
    private NDArray root(NDArray like, NDArray timesteps, boolean signal) {
        float[] values = signalPower(timesteps);
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) Math.sqrt(signal ? values[i] : 1 - values[i]);
        }
        return like.getManager().create(values, new Shape(values.length, 1, 1, 1));
    }

    private float[] signalPower(NDArray timesteps) {
        long[] t = timesteps.toType(DataType.INT64, false).toLongArray();
        float[] power = new float[t.length];
        for (int i = 0; i < t.length; i++) {
            if (t[i] < 0 || t[i] >= steps()) {
                throw new IllegalArgumentException("timestep " + t[i] + " is not in 0.." + (steps() - 1));
            }
            power[i] = alphasCumprod[(int) t[i]];
        }
        return power;
    }
}
