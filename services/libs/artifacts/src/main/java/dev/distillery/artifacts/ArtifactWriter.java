package dev.distillery.artifacts;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Fills a place file by file, a prefix of the store or a folder, and completes it with its manifest. */
public interface ArtifactWriter {
    /** Writes a file of any size in constant memory. */
    void stream(String name, ArtifactStore.Upload content);

    default void add(String name, byte[] content) {
        stream(name, out -> out.write(content));
    }

    default void add(String name, Path file) {
        stream(name, out -> {
            try (InputStream in = Files.newInputStream(file)) {
                in.transferTo(out);
            }
        });
    }

    /** Until then, nothing looks complete. */
    Manifest complete(String kind, Map<String, Object> about);
}
