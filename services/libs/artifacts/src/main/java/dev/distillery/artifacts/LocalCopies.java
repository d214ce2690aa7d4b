package dev.distillery.artifacts;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;

/** Complete prefixes on this machine's disk, checked against their manifests. Safe for use by many threads. */
public final class LocalCopies {
    private final ArtifactStore store;
    private final Path dir;
    private final Map<String, Object> locks = new ConcurrentHashMap<>(); // one copy of a prefix at a time

    public LocalCopies(ArtifactStore store, Path dir) {
        this.store = store;
        this.dir = dir;
    }

    /**
     * The folder of a prefix, copied when it is not there yet.
     *
     * @throws ArtifactMissingException if the prefix has no manifest: it is not complete
     * @throws ArtifactCorruptException if a file is not what the manifest says
     */
    public Path of(String prefix) {
        synchronized (locks.computeIfAbsent(prefix, p -> new Object())) {
            Path there = dir.resolve(prefix);
            return Files.isDirectory(there) ? there : copy(prefix, there);
        }
    }

    /**
     * Some files of a prefix in a folder of the caller's, who deletes it.
     *
     * @param wanted by the file's name in the prefix
     * @throws ArtifactMissingException if the prefix has no manifest: it is not complete
     * @throws ArtifactCorruptException if a file is not what the manifest says
     */
    public void fetch(String prefix, Predicate<String> wanted, Path folder) {
        Manifest manifest = Manifests.require(store, prefix);
        try {
            for (Manifest.FileEntry file : manifest.files()) {
                if (wanted.test(file.name())) {
                    Path to = folder.resolve(file.name());
                    Files.createDirectories(to.getParent());
                    file.check(
                            prefix + file.name(),
                            store.fetch(prefix + file.name(), to).sha256());
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Visible under its name only when it is whole. */
    private Path copy(String prefix, Path there) {
        Path part = dir.resolve("part-" + UUID.randomUUID());
        try {
            try {
                fetch(prefix, name -> true, part);
                Files.createDirectories(there.getParent());
                return Files.move(part, there, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Folders.delete(part);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
