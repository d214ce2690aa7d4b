package dev.distillery.artifacts;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Fills a folder of this machine. The files come into a hidden folder beside it, which takes its place when it is complete:
 * whoever is killed on the way leaves the place as it was, and the next one begins anew.
 */
public final class FolderWriter implements ArtifactWriter, AutoCloseable {
    private static final String MANIFEST = "manifest.json";

    private final Path folder;
    private final Path unfinished;
    private final List<Manifest.FileEntry> files = new ArrayList<>();

    private FolderWriter(Path folder, Path unfinished) {
        this.folder = folder;
        this.unfinished = unfinished;
    }

    /**
     * Begins to fill a folder that is not there, is empty, or holds what such a writer completed and nothing else.
     *
     * @throws IllegalArgumentException if it holds something else, naming it
     */
    public static FolderWriter of(Path folder) {
        Path place = folder.toAbsolutePath().normalize();
        ensureOurs(place);
        Path unfinished = place.resolveSibling("." + place.getFileName() + ".unfinished");
        Folders.delete(unfinished);
        return new FolderWriter(place, unfinished);
    }

    private static void ensureOurs(Path folder) {
        if (!Files.exists(folder)) {
            return;
        }
        if (!Files.isDirectory(folder)) {
            throw new IllegalArgumentException(folder + " is a file; name a folder");
        }
        Set<String> there = Folders.files(folder).stream()
                .map(file -> folder.relativize(file).toString().replace('\\', '/'))
                .collect(Collectors.toCollection(TreeSet::new));
        Manifests.find(folder).ifPresent(manifest -> {
            manifest.files().forEach(file -> there.remove(file.name()));
            there.remove(MANIFEST);
        });
        if (!there.isEmpty()) {
            throw new IllegalArgumentException(folder + " holds something else ("
                    + there.iterator().next() + "), which stays; name a folder that is empty or not there yet");
        }
    }

    @Override
    public void stream(String name, ArtifactStore.Upload content) {
        MessageDigest digest = Digest.sha256();
        Path file = unfinished.resolve(name);
        try {
            Files.createDirectories(file.getParent());
            try (OutputStream out = new DigestOutputStream(Files.newOutputStream(file), digest)) {
                content.to(out);
            }
            files.add(new Manifest.FileEntry(
                    name, Files.size(file), HexFormat.of().formatHex(digest.digest())));
        } catch (IOException e) {
            throw new UncheckedIOException(file + " cannot be written: " + e.getMessage(), e);
        }
    }

    @Override
    public Manifest complete(String kind, Map<String, Object> about) {
        Manifest manifest = new Manifest(kind, Instant.now().toString(), "distillery", about, List.copyOf(files));
        add(MANIFEST, Manifests.write(manifest));
        ensureOurs(folder); // nobody has put anything there since
        Folders.delete(folder);
        try {
            Files.move(unfinished, folder, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(unfinished + " is complete but cannot become " + folder, e);
        }
        return manifest;
    }

    /** Deletes what was not completed. */
    @Override
    public void close() {
        Folders.delete(unfinished);
    }
}
