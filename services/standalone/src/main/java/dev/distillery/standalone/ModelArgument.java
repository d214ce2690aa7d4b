package dev.distillery.standalone;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

import dev.distillery.diffusion.distill.Families;
import dev.distillery.diffusion.distill.Layouts;
import dev.distillery.diffusion.distill.Student;
import dev.distillery.diffusion.safetensors.SafetensorsException;
import dev.distillery.diffusion.singlefile.SingleFileFolder;
import dev.distillery.diffusion.singlefile.SingleFileSource;
import dev.distillery.diffusion.unet.UNetConfig;
import dev.distillery.diffusion.vae.VaeConfig;
import dev.distillery.standalone.console.Arguments;
import dev.distillery.standalone.console.UserException;

/** A model that a command is told of, no weight of which is read: a diffusers folder, a single file, or the name of a family. */
record ModelArgument(UNetConfig unet, int pixelsPerLatent) {
    private static final int USUAL_PIXELS_PER_LATENT = 8;

    /**
     * @param argument what the command calls it
     * @throws UserException if it is none of these
     */
    static ModelArgument of(String argument, String model) throws IOException {
        if (Families.NAMES.contains(model)) {
            return new ModelArgument(Families.unet(model), USUAL_PIXELS_PER_LATENT);
        }
        Path path = Path.of(model);
        if (!Files.exists(path)) {
            throw UserException.badInput(argument + " must be a diffusers folder, a safetensors file or one of "
                    + String.join(", ", Families.NAMES) + " but is " + model);
        }
        if (Files.isRegularFile(path)) {
            return singleFile(argument, path);
        }
        Path vae = path.resolve("vae");
        return new ModelArgument(
                UNetConfig.read(Arguments.unet(path, argument)),
                Files.exists(vae.resolve("config.json")) ? VaeConfig.read(vae).scale() : USUAL_PIXELS_PER_LATENT);
    }

    private static ModelArgument singleFile(String argument, Path file) throws IOException {
        try {
            SingleFileFolder single = SingleFileFolder.of(SingleFileSource.of(file));
            return new ModelArgument(
                    single.unet(), single.vae().map(VaeConfig::scale).orElse(USUAL_PIXELS_PER_LATENT));
        } catch (IllegalArgumentException | SafetensorsException e) {
            throw UserException.badInput(argument + ": " + e.getMessage());
        }
    }

    /** @throws UserException if the teacher has no such layout */
    static Student student(UNetConfig teacher, String layout) {
        try {
            return Student.of(teacher, Layouts.named(teacher, layout));
        } catch (IllegalArgumentException e) {
            throw UserException.badInput("--layout " + layout + ": " + e.getMessage());
        }
    }
}
