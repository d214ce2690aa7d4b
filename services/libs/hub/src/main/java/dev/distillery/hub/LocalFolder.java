package dev.distillery.hub;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A folder of this machine, without what is hidden in it ({@code .git}, {@code .cache}); links are followed. */
public record LocalFolder(Path folder) implements UploadFiles {
    @Override
    public List<Entry> files() throws IOException {
        try (Stream<Path> walk = Files.walk(folder, FileVisitOption.FOLLOW_LINKS)) {
            return walk.filter(Files::isRegularFile)
                    .map(file -> new Entry(name(file), file.toFile().length()))
                    .filter(file -> !("/" + file.name()).contains("/."))
                    .sorted(Comparator.comparing(Entry::name))
                    .toList();
        } catch (UncheckedIOException e) {
            throw e.getCause(); // such as a folder that may not be read
        }
    }

    private String name(Path file) {
        return folder.relativize(file).toString().replace(file.getFileSystem().getSeparator(), "/");
    }

    @Override
    public InputStream open(String name, long from, long length) throws IOException {
        return new FilePart(folder.resolve(name), from, length);
    }

    @Override
    public String sha256(String name) throws IOException {
        try (InputStream in = Files.newInputStream(folder.resolve(name))) {
            return Digests.sha256(in);
        }
    }
}
