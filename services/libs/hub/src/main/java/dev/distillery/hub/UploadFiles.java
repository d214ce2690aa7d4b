package dev.distillery.hub;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;

/** Files that go into a repository, wherever they are. Used by several threads at once. */
public interface UploadFiles {
    /** @param name path in the repository, parted by {@code /} */
    record Entry(String name, long size) {}

    List<Entry> files() throws IOException;

    /** The bytes from {@code from} on, {@code length} of them. */
    InputStream open(String name, long from, long length) throws IOException;

    /** In hexadecimal. */
    String sha256(String name) throws IOException;
}
