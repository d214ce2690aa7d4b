package dev.distillery.trainer.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.diffusion.schedule.NoiseSchedule;
import dev.distillery.diffusion.vae.VaeConfig;

/** A teacher as a diffusers folder on this machine. */
record TeacherFolder(Path path) {

    private static final ObjectMapper JSON = new ObjectMapper();

    Path unet() {
        return path.resolve("unet");
    }

    NoiseSchedule schedule() {
        return NoiseSchedule.read(path.resolve("scheduler"));
    }

    /** Sides of an image in those of its latents. */
    int pixelsPerLatent() {
        return VaeConfig.read(path.resolve("vae")).scale();
    }

    /** The auto-encoder's {@code scaling_factor}, by which latents are multiplied to have about unit variance. */
    double latentScale() {
        JsonNode factor = config("vae/config.json").path("scaling_factor");
        if (!factor.isNumber()) {
            throw new IllegalArgumentException(path.resolve("vae/config.json")
                    + ": 'scaling_factor' must be a number but was " + (factor.isMissingNode() ? "absent" : factor));
        }
        return factor.asDouble();
    }

    private JsonNode config(String name) {
        try {
            return JSON.readTree(path.resolve(name).toFile());
        } catch (IOException e) {
            throw new UncheckedIOException("The teacher's " + name + " cannot be read", e);
        }
    }
}
