package dev.distillery.diffusion.schedule;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

import ai.djl.ndarray.NDArray;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

/**
 * The reverse process: from noise to latents in a few steps, one after the other from step 0. Arrays are attached to their
 * first argument's manager. For one thread at a time; closing frees what is remembered between steps.
 */
public interface Sampler extends AutoCloseable {
    /** The timestep of each step, from the noisiest down; there may be more of them than steps were asked for. */
    double[] timesteps();

    /** Standard deviation of the noise to begin with. */
    double initNoiseSigma();

    /** What the network sees of the sample at a step. */
    NDArray scaleModelInput(NDArray sample, int step);

    /** The sample after a step, given what the network predicted. */
    NDArray step(NDArray prediction, int step, NDArray sample);

    @Override
    default void close() {}

    /**
     * The sampler of a {@code scheduler_config.json} for so many steps: DDIM or PNDM where it names them, else Euler with the
     * same noise, which is what {@code EulerDiscreteScheduler.from_config} makes of it.
     *
     * @throws IllegalArgumentException naming a setting that is not supported
     */
    static Sampler of(Path schedulerFolder, int steps) {
        Path file = schedulerFolder.resolve("scheduler_config.json");
        try {
            JsonNode config = new ObjectMapper().readTree(Files.readAllBytes(file));
            return of(config, steps);
        } catch (IOException e) {
            throw new IllegalArgumentException(file + " cannot be read: " + e.getMessage(), e);
        }
    }

    /** As {@link #of(Path, int)}. */
    static Sampler of(JsonNode config, int steps) {
        return switch (config.path("_class_name").asText()) {
            case "DDIMScheduler" -> new Ddim(config, steps);
            case "PNDMScheduler" -> new Pndm(config, steps);
            default -> new EulerDiscrete(config, steps);
        };
    }
}
