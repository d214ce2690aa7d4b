package dev.distillery.standalone.console;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Checks of arguments, before anything is loaded. */
public final class Arguments {
    private Arguments() {}

    public static void between(String option, long value, long least, long most) {
        if (value < least || value > most) {
            throw UserException.badInput(option + " must be in " + least + ".." + most + " but is " + value);
        }
    }

    public static void oneOf(String option, String value, String... allowed) {
        if (!List.of(allowed).contains(value)) {
            throw UserException.badInput(option + " must be " + String.join(" or ", allowed) + " but is " + value);
        }
    }

    public static void file(Path file, String otherwise) {
        if (!Files.isReadable(file)) {
            throw UserException.badInput(otherwise + ": there is no " + file);
        }
    }

    /** The folder of a U-Net, named itself or by the diffusers folder around it. */
    public static Path unet(Path folder, String option) {
        Path inner = folder.resolve("unet");
        Path unet = Files.exists(inner) ? inner : folder;
        file(unet.resolve("config.json"), option + " " + folder + " has no U-Net");
        return unet;
    }

    /** The folder that a file is to be written to. */
    public static Path parent(String option, Path file) {
        if (Files.isDirectory(file)) {
            throw UserException.badInput(option + " " + file + " is a folder; name a file");
        }
        return file.toAbsolutePath().getParent();
    }
}
