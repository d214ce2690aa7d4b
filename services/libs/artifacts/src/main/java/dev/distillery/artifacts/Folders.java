package dev.distillery.artifacts;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Folders of this machine. */
public final class Folders {

    private Folders() {}

    /** All files below {@code folder}, by name. */
    public static List<Path> files(Path folder) {
        try (Stream<Path> paths = Files.walk(folder)) {
            return paths.filter(Files::isRegularFile).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Reads some files of a folder to see that they are what its manifest says.
     *
     * @param wanted by the file's name in the folder
     * @throws ArtifactMissingException if there is no manifest, or a file of it is not there
     * @throws ArtifactCorruptException naming the first file that is another, with both digests
     */
    public static Manifest check(Path folder, Predicate<String> wanted) {
        Manifest manifest = Manifests.find(folder)
                .orElseThrow(() -> new ArtifactMissingException(folder + " is not complete: it has no manifest.json"));
        for (Manifest.FileEntry entry : manifest.files()) {
            if (wanted.test(entry.name())) {
                Path file = folder.resolve(entry.name());
                if (!Files.isRegularFile(file)) {
                    throw new ArtifactMissingException(file + " is not there, but its manifest names it");
                }
                entry.check(file.toString(), sha256(file));
            }
        }
        return manifest;
    }

    private static String sha256(Path file) {
        try {
            return Digest.of(file);
        } catch (IOException e) {
            throw new UncheckedIOException(file + " cannot be read", e);
        }
    }

    /** Deletes {@code folder} with all it holds, if it is there. */
    public static void delete(Path folder) {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
