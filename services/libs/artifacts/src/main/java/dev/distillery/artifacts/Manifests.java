package dev.distillery.artifacts;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

import com.fasterxml.jackson.databind.ObjectMapper;

/** Reads and writes {@code manifest.json}. */
public final class Manifests {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** What a converted model's manifest says of it: the names of folders. */
    public static final String TRAINED_TEXT_ENCODERS = "trainedTextEncoders";

    private Manifests() {}

    public static Optional<Manifest> find(ArtifactStore store, String prefix) {
        String key = Keys.manifest(prefix);
        return store.stat(key).isEmpty() ? Optional.empty() : Optional.of(parse(key, store.read(key)));
    }

    /** @throws ArtifactMissingException if the prefix has none: it is not complete */
    public static Manifest require(ArtifactStore store, String prefix) {
        return find(store, prefix)
                .orElseThrow(() -> new ArtifactMissingException(prefix + " is not complete in the store"));
    }

    /** Whether a file of a converted model is of a text encoder that learnt with the U-Net. */
    public static boolean isOfTrainedTextEncoder(Manifest model, String file) {
        return model.about().get(TRAINED_TEXT_ENCODERS) instanceof List<?> trained
                && trained.contains(file.replaceFirst("/.*", ""));
    }

    /** That of a folder of this machine, if it is complete. */
    public static Optional<Manifest> find(Path folder) {
        Path file = folder.resolve("manifest.json");
        try {
            return Files.exists(file)
                    ? Optional.of(parse(file.toString(), Files.readAllBytes(file)))
                    : Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException(file + " cannot be read", e);
        }
    }

    private static Manifest parse(String name, byte[] json) {
        try {
            Manifest manifest = JSON.readValue(json, Manifest.class);
            if (manifest == null) {
                throw new ArtifactCorruptException(name + " is not a manifest: null");
            }
            return manifest;
        } catch (IOException | IllegalArgumentException e) {
            throw new ArtifactCorruptException(name + " is not a manifest: " + e.getMessage());
        }
    }

    static byte[] write(Manifest manifest) {
        try {
            return JSON.writeValueAsBytes(manifest);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
