package dev.distillery.diffusion.schedule;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;

import ai.djl.ndarray.NDArray;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

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

    /** Those that there are, by diffusers' names for them. */
    enum Type {
        EULER("EulerDiscreteScheduler"),
        DDIM("DDIMScheduler"),
        PNDM("PNDMScheduler");

        private static final String CLASS_NAME = "_class_name";

        private final String className;

        Type(String className) {
            this.className = className;
        }

        public String className() {
            return className;
        }

        /** Of {@code euler}, {@code ddim} or {@code pndm}. */
        public static Type named(String name) {
            return valueOf(name.toUpperCase(Locale.ROOT));
        }

        /** That which a configuration names; Euler for all others, as they have the same noise. */
        public static Type of(JsonNode config) {
            String name = config.path(CLASS_NAME).asText();
            return Arrays.stream(values())
                    .filter(type -> type.className.equals(name))
                    .findFirst()
                    .orElse(EULER);
        }

        /**
         * What {@code from_config} of this class makes of another's configuration. PNDM skips its Runge-Kutta steps, as it
         * does in every released model.
         */
        public ObjectNode from(JsonNode config) {
            ObjectNode own = config.<ObjectNode>deepCopy().put(CLASS_NAME, className);
            return this == PNDM ? own.put("skip_prk_steps", true) : own;
        }
    }

    /**
     * The {@code scheduler/scheduler_config.json} of a diffusers folder.
     *
     * @throws IllegalArgumentException naming the file if it cannot be read
     */
    static JsonNode config(Path model) {
        Path file = model.resolve("scheduler/scheduler_config.json");
        try {
            return new ObjectMapper().readTree(Files.readAllBytes(file));
        } catch (IOException e) {
            throw new IllegalArgumentException(file + " cannot be read: " + e.getMessage(), e);
        }
    }

    /**
     * The sampler of a {@code scheduler_config.json} for so many steps.
     *
     * @throws IllegalArgumentException naming a setting that is not supported
     */
    static Sampler of(JsonNode config, int steps) {
        return switch (Type.of(config)) {
            case DDIM -> new Ddim(config, steps);
            case PNDM -> new Pndm(config, steps);
            case EULER -> new EulerDiscrete(config, steps);
        };
    }
}
