package dev.distillery.artifacts;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.UUID;

/** Complete prefixes on this machine's disk, checked against their manifests. */
public final class LocalCopies {
    private final ArtifactStore store;
    private final Path dir;

    public LocalCopies(ArtifactStore store, Path dir) {
        this.store = store;
        this.dir = dir;
    }

    public Path of(String prefix) {
        Path there = dir.resolve(prefix);
        if (Files.isDirectory(there)) {
            return there;
        }
        Manifest manifest = Manifests.find(store, prefix)
                .orElseThrow(() -> new ArtifactMissingException(prefix + " is not complete in the store"));
        Path part = dir.resolve("part-" + UUID.randomUUID());
        try {
            for (Manifest.FileEntry file : manifest.files()) {
                download(prefix, file, part.resolve(file.name()));
            }
            Files.createDirectories(there.getParent());
            Files.move(part, there, StandardCopyOption.ATOMIC_MOVE);
            return there;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void download(String prefix, Manifest.FileEntry file, Path to) throws IOException {
        Files.createDirectories(to.getParent());
        MessageDigest digest = ArtifactStore.sha256();
        try (InputStream in = new DigestInputStream(store.open(prefix + file.name()), digest)) {
            Files.copy(in, to);
        }
        if (!HexFormat.of().formatHex(digest.digest()).equals(file.sha256())) {
            throw new ArtifactCorruptException(prefix + file.name() + " is not what its manifest says");
        }
    }
}
