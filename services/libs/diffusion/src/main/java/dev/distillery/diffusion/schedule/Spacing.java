package dev.distillery.diffusion.schedule;

import java.util.stream.IntStream;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * {@code timestep_spacing}: which of the training timesteps are visited.
 *
 * @see <a href="https://arxiv.org/abs/2305.08891">table 2 of arXiv 2305.08891</a>
 */
enum Spacing {
    LINSPACE {
        @Override
        double[] timesteps(int trained, int steps, int offset) {
            return IntStream.range(0, steps)
                    .mapToDouble(i -> steps == 1 ? 0 : (trained - 1.0) * (steps - 1 - i) / (steps - 1))
                    .toArray();
        }
    },
    LEADING {
        @Override
        double[] timesteps(int trained, int steps, int offset) {
            int ratio = trained / steps;
            return IntStream.range(0, steps)
                    .mapToDouble(i -> (double) (steps - 1 - i) * ratio + offset)
                    .toArray();
        }
    },
    TRAILING {
        @Override
        double[] timesteps(int trained, int steps, int offset) {
            double ratio = (double) trained / steps;
            return IntStream.range(0, steps)
                    .mapToDouble(i -> Math.rint(trained - i * ratio) - 1)
                    .toArray();
        }
    };

    /** The timesteps from the noisiest down. */
    abstract double[] timesteps(int trained, int steps, int offset);

    /** @param otherwise diffusers' default, which differs by scheduler */
    static double[] of(JsonNode config, Spacing otherwise, int trained, int steps) {
        if (steps < 1 || steps > trained) {
            throw new IllegalArgumentException("sampling steps must be in 1.." + trained + " but are " + steps);
        }
        String name = config.path("timestep_spacing").asText(otherwise.name().toLowerCase(java.util.Locale.ROOT));
        for (Spacing spacing : values()) {
            if (spacing.name().equalsIgnoreCase(name)) {
                return spacing.timesteps(
                        trained, steps, config.path("steps_offset").asInt(0));
            }
        }
        throw new IllegalArgumentException(
                "scheduler config: 'timestep_spacing' must be linspace, leading or trailing but is " + name);
    }

    /** Refuses any value but the one that is supported here, which is also diffusers' default. */
    static void demand(JsonNode config, String key, String only) {
        String value = config.path(key).asText(only);
        if (config.hasNonNull(key) && !value.equals(only)) {
            throw new IllegalArgumentException("scheduler config: '" + key + "' must be " + only + " but is " + value);
        }
    }

    /** Refuses settings that are not supported here and would change the picture. */
    static void refuse(JsonNode config, String... flags) {
        for (String flag : flags) {
            if (config.path(flag).asBoolean(false)) {
                throw new IllegalArgumentException("scheduler config: '" + flag + "' must be false but is true");
            }
        }
    }
}
