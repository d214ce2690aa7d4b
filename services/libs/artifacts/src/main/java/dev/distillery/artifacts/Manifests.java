package dev.distillery.artifacts;

import java.io.IOException;
import java.util.Optional;

import com.fasterxml.jackson.databind.ObjectMapper;

/** Reads and writes {@code manifest.json}. */
public final class Manifests {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Manifests() {}

    public static Optional<Manifest> find(ArtifactStore store, String prefix) {
        String key = Keys.manifest(prefix);
        if (store.stat(key).isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(JSON.readValue(store.read(key), Manifest.class));
        } catch (IOException e) {
            throw new ArtifactCorruptException(key + " is not a manifest: " + e.getMessage());
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
