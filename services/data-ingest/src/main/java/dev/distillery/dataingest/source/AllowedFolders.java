package dev.distillery.dataingest.source;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/**
 * Which folders of this machine a request may have read: whoever can send a request would otherwise have every file that the
 * service can read. Links are followed only from one allowed folder into the same or another.
 */
public final class AllowedFolders {
    private static final String SCHEME = "file://";

    private final List<Path> folders;

    private AllowedFolders(List<Path> folders) {
        this.folders = folders;
    }

    /** Those and what is below them; none when there are none. */
    public static AllowedFolders of(List<Path> folders) {
        return new AllowedFolders(List.copyOf(folders));
    }

    /** Every folder that the process can read: for someone who reads files of their own. */
    public static AllowedFolders all() {
        return of(List.of(Path.of("/")));
    }

    /**
     * @param field the request's field that has the address
     * @param uri {@code file:///dir}
     * @throws SourceException if it is not allowed, or there is no such folder; of a folder that is not allowed nobody learns
     *     whether it is there
     */
    public LocalTree open(String field, String uri) throws IOException {
        try {
            Path folder = Path.of(uri.substring(SCHEME.length())).normalize();
            if (!folder.isAbsolute()) {
                throw new SourceException(field, uri + " must be an absolute path: file:///dir");
            }
            if (!isBelow(folder) || Files.exists(folder) && !isBelow(folder.toRealPath())) {
                throw new SourceException(field, uri + " may not be read; " + told());
            }
            return new LocalTree(folder, this);
        } catch (NoSuchFileException | InvalidPathException e) {
            throw new SourceException(field, e.getMessage());
        }
    }

    /** Whether a file may be read, wherever links lead from its name; a file that is not there may not. */
    boolean allow(Path file) {
        try {
            return isBelow(file.toRealPath());
        } catch (IOException e) {
            return false;
        }
    }

    private boolean isBelow(Path path) {
        return folders.stream().anyMatch(folder -> path.startsWith(real(folder)) || path.startsWith(folder));
    }

    private static Path real(Path folder) {
        try {
            return folder.toRealPath();
        } catch (IOException e) {
            return folder.toAbsolutePath().normalize(); // not there yet
        }
    }

    private String told() {
        return folders.isEmpty()
                ? "data-ingest reads no folder of its own machine unless distillery.sources.folders names it"
                : "of data-ingest's own machine it reads what is below " + folders + " (distillery.sources.folders)";
    }
}
