package dev.distillery.dataingest.source;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A folder of this machine; links are followed, as Hugging Face's cache is made of them. */
public final class LocalTree implements FileTree {
    private final Path folder;
    private final List<Entry> files;

    /** @throws NoSuchFileException if there is no such folder */
    public LocalTree(Path folder) throws IOException {
        this.folder = folder;
        if (!Files.isDirectory(folder)) {
            throw new NoSuchFileException(folder + " is no folder of the machine on which data-ingest runs");
        }
        try (Stream<Path> walk = Files.walk(folder, FileVisitOption.FOLLOW_LINKS)) {
            this.files = walk.filter(Files::isRegularFile)
                    .map(file -> new Entry(nameOf(file), file.toFile().length()))
                    .filter(entry ->
                            !entry.name().startsWith(".") && !entry.name().contains("/."))
                    .sorted(Comparator.comparing(Entry::name))
                    .toList();
        } catch (UncheckedIOException e) {
            throw e.getCause(); // such as a link to a folder above itself
        }
    }

    private String nameOf(Path file) {
        return folder.relativize(file).toString().replace(file.getFileSystem().getSeparator(), "/");
    }

    @Override
    public String uri() {
        return "file://" + folder;
    }

    @Override
    public List<Entry> files() {
        return files;
    }

    @Override
    public InputStream open(String name) throws IOException {
        return Files.newInputStream(inside(name));
    }

    @Override
    public LocalFile local(String name) throws IOException {
        Path file = inside(name);
        return new LocalFile() {
            @Override
            public Path path() {
                return file;
            }

            @Override
            public void close() {
                // the user's own file: it stays
            }
        };
    }

    @Override
    public String digest(String name) throws IOException {
        try (InputStream in = open(name)) {
            return Digest.of(in);
        }
    }

    @Override
    public boolean isLocal() {
        return true;
    }

    /** A data set's metadata may name any path; files outside of the folder are not read. */
    private Path inside(String name) throws NoSuchFileException {
        Path file = folder.resolve(name).normalize();
        if (!file.startsWith(folder.normalize())) {
            throw new NoSuchFileException(name + " lies outside of " + folder);
        }
        return file;
    }
}
