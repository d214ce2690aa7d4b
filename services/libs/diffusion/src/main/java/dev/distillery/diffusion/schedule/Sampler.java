package dev.distillery.diffusion.schedule;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

import ai.djl.ndarray.NDArray;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

/** The reverse process: from noise to latents in a few steps. Arrays are attached to their first argument's manager. */
public interface Sampler {
    /** The timestep of each step, from the noisiest down. */
    double[] timesteps();

    /** Standard deviation of the noise to begin with. */
    double initNoiseSigma();

    /** What the network sees of the sample at a step. */
    NDArray scaleModelInput(NDArray sample, int step);

    /** The sample after a step, given what the network predicted. */
    NDArray step(NDArray prediction, int step, NDArray sample);

    /**
     * The sampler of a {@code scheduler_config.json} for so many steps: DDIM where it names it, else Euler with the same
     * noise, which is what {@code EulerDiscreteScheduler.from_config} makes of it.
     *
     * @throws IllegalArgumentException naming a setting that is not supported
     */
    static Sampler of(Path schedulerFolder, int steps) {
        Path file = schedulerFolder.resolve("scheduler_config.json");
        try {
            JsonNode config = new ObjectMapper().readTree(Files.readAllBytes(file));
            return config.path("_class_name").asText().equals("DDIMScheduler")
                    ? new Ddim(config, steps)
                    : new EulerDiscrete(config, steps);
        } catch (IOException e) {
            throw new IllegalArgumentException(file + " cannot be read: " + e.getMessage(), e);
        }
    }
}
