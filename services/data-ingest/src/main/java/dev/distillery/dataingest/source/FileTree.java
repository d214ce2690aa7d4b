package dev.distillery.dataingest.source;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/** The files below a folder, wherever the folder is. Hidden files are not in it. */
public interface FileTree {
    /** @param name path below the folder, parted by {@code /} */
    record Entry(String name, long size) {}

    /** A file on this machine, for as long as it is open. */
    interface LocalFile extends AutoCloseable {
        Path path();

        @Override
        void close() throws IOException;

        /** Keeps the content, which is closed, in a file that goes when this is closed. */
        static LocalFile copyOf(InputStream content) throws IOException {
            Path copy = Files.createTempFile("source", ".copy");
            try (content) {
                Files.copy(content, copy, StandardCopyOption.REPLACE_EXISTING);
            } catch (IOException | RuntimeException e) {
                Files.delete(copy);
                throw e;
            }
            return new LocalFile() {
                @Override
                public Path path() {
                    return copy;
                }

                @Override
                public void close() throws IOException {
                    Files.delete(copy);
                }
            };
        }
    }

    /** As the user wrote it. */
    String uri();

    /** The same, such that it names this very content for ever, where the source has such names. */
    default String pinnedUri() {
        return uri();
    }

    /** Every file, sorted by name, so that each reading gives the same order. */
    List<Entry> files() throws IOException;

    InputStream open(String name) throws IOException;

    /**
     * Some bytes of a file, such as its header, without those before and after it.
     *
     * @throws EOFException if there are not so many
     */
    default byte[] read(String name, long offset, int length) throws IOException {
        try (InputStream in = open(name)) {
            in.skipNBytes(offset);
            return exactly(in, length);
        }
    }

    static byte[] exactly(InputStream in, int length) throws IOException {
        byte[] bytes = in.readNBytes(length);
        if (bytes.length < length) {
            throw new EOFException(
                    "the file ends after " + bytes.length + " of " + length + " bytes that were asked for");
        }
        return bytes;
    }

    /** The file itself, or a copy of it. */
    LocalFile local(String name) throws IOException;

    /** Another value whenever the file's content is another. */
    String digest(String name) throws IOException;

    /** Whether {@link #local} costs nothing. */
    boolean isLocal();

    /** Lets go of what it keeps on this machine from one call to the next. It can be read on. */
    default void release() throws IOException {}

    /** Length of a file in bytes. */
    default long size(String name) throws IOException {
        return files().stream()
                .filter(file -> file.name().equals(name))
                .mapToLong(Entry::size)
                .findFirst()
                .orElseThrow(() -> new NoSuchFileException(uri() + "/" + name));
    }

    default boolean has(String name) throws IOException {
        return files().stream().anyMatch(f -> f.name().equals(name));
    }
}
