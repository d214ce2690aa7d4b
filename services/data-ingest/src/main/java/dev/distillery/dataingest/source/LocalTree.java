package dev.distillery.dataingest.source;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemLoopException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;

import dev.distillery.artifacts.Digest;

/** A folder of this machine; links are followed, as Hugging Face's cache is made of them, as far as that is allowed. */
public final class LocalTree implements FileTree {
    private final Path folder;
    private final AllowedFolders allowed;
    private List<Entry> files;

    /** A file as if it were alone in its folder. */
    public static LocalTree onlyFile(Path file) throws IOException {
        Path absolute = file.toAbsolutePath();
        LocalTree tree = new LocalTree(absolute.getParent());
        tree.files = List.of(new Entry(tree.nameOf(absolute), Files.size(absolute)));
        return tree;
    }

    /** @throws NoSuchFileException if there is no such folder */
    public LocalTree(Path folder) throws IOException {
        this(folder, AllowedFolders.all());
    }

    LocalTree(Path folder, AllowedFolders allowed) throws IOException {
        this.folder = folder;
        this.allowed = allowed;
        if (!Files.isDirectory(folder)) {
            throw new NoSuchFileException(folder + " is no folder of the machine on which data-ingest runs");
        }
    }

    /** Listed when it is first asked for: of a folder full of models, one file may be all that is needed. */
    @Override
    public synchronized List<Entry> files() throws IOException {
        if (files == null) {
            files = list();
        }
        return files;
    }

    private List<Entry> list() throws IOException {
        List<Entry> found = new ArrayList<>();
        Files.walkFileTree(
                folder, EnumSet.of(FileVisitOption.FOLLOW_LINKS), Integer.MAX_VALUE, new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes attributes) {
                        return allowed.allow(dir) ? FileVisitResult.CONTINUE : FileVisitResult.SKIP_SUBTREE;
                    }

                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                        boolean readable = !Files.isSymbolicLink(file) || allowed.allow(file);
                        if (attributes.isRegularFile() && readable && !hidden(nameOf(file))) {
                            found.add(new Entry(nameOf(file), attributes.size()));
                        }
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
                        throw e instanceof FileSystemLoopException
                                ? new IOException(file + " is a link to a folder above it", e)
                                : e;
                    }
                });
        found.sort(Comparator.comparing(Entry::name));
        return found;
    }

    private String nameOf(Path file) {
        return folder.relativize(file).toString().replace(file.getFileSystem().getSeparator(), "/");
    }

    @Override
    public String uri() {
        return "file://" + folder;
    }

    @Override
    public boolean has(String name) throws IOException {
        try {
            return !hidden(name) && Files.isRegularFile(inside(name));
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    @Override
    public long size(String name) throws IOException {
        return Files.size(inside(name));
    }

    private static boolean hidden(String name) {
        return name.startsWith(".") || name.contains("/.");
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

    /** A data set's metadata may name any path, and a link lead to any; files outside of the folder are not read. */
    private Path inside(String name) throws NoSuchFileException {
        Path file = resolved(name).normalize();
        if (!file.startsWith(folder.normalize()) || Files.exists(file) && !allowed.allow(file)) {
            throw new NoSuchFileException(name + " lies outside of " + folder);
        }
        return file;
    }

    private Path resolved(String name) throws NoSuchFileException {
        try {
            return folder.resolve(name);
        } catch (InvalidPathException e) {
            throw new NoSuchFileException("'" + name + "' is no name of a file"); // it has a NUL in it
        }
    }
}
