package dev.distillery.standalone;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Manifest;
import dev.distillery.artifacts.StoreException;
import dev.distillery.hub.UploadFiles;

/** The files of a complete prefix of a store, as its manifest lists them. */
final class StoreFolder implements UploadFiles {
    private final ArtifactStore store;
    private final String prefix;
    private final Map<String, Manifest.FileEntry> files = new TreeMap<>();

    StoreFolder(ArtifactStore store, String prefix, Manifest manifest) {
        this.store = store;
        this.prefix = prefix;
        manifest.files().forEach(file -> files.put(file.name(), file));
    }

    @Override
    public List<Entry> files() {
        return files.values().stream()
                .map(file -> new Entry(file.name(), file.size()))
                .toList();
    }

    @Override
    public InputStream open(String name, long from, long length) throws IOException {
        try {
            return length == 0 ? InputStream.nullInputStream() : store.open(prefix + name, from, length);
        } catch (StoreException e) {
            throw new IOException(prefix + name + " cannot be read: " + e.getMessage(), e);
        }
    }

    @Override
    public String sha256(String name) {
        return files.get(name).sha256();
    }
}
