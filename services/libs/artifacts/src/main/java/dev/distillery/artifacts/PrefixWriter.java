package dev.distillery.artifacts;

import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Fills a prefix of the store. */
public final class PrefixWriter implements ArtifactWriter {
    private final ArtifactStore store;
    private final String prefix;
    private final List<Manifest.FileEntry> files = new ArrayList<>();

    public PrefixWriter(ArtifactStore store, String prefix) {
        this.store = store;
        this.prefix = prefix;
    }

    @Override
    public void add(String name, Path file) {
        entry(name, store.put(prefix + name, file));
    }

    @Override
    public void add(String name, byte[] content) {
        entry(name, store.put(prefix + name, content));
    }

    @Override
    public void stream(String name, ArtifactStore.Upload upload) {
        entry(name, store.putStream(prefix + name, upload));
    }

    /** Counts in a file that an earlier, interrupted worker has written. */
    public void include(Manifest.FileEntry file) {
        files.add(file);
    }

    /** What was written or included so far, in this order. */
    public List<Manifest.FileEntry> files() {
        return List.copyOf(files);
    }

    private void entry(String name, Stored stored) {
        files.add(new Manifest.FileEntry(name, stored.size(), stored.sha256()));
    }

    /** Adds what was written to a complete prefix, or puts it in the place of files of the same names. */
    public void amend(Manifest before) {
        Map<String, Manifest.FileEntry> all = new LinkedHashMap<>();
        before.files().forEach(file -> all.put(file.name(), file));
        files.forEach(file -> all.put(file.name(), file));
        var amended = new Manifest(
                before.kind(), before.created(), before.producer(), before.about(), List.copyOf(all.values()));
        store.put(Keys.manifest(prefix), Manifests.write(amended));
    }

    @Override
    public Manifest complete(String kind, Map<String, Object> about) {
        Manifest manifest = new Manifest(kind, Instant.now().toString(), "distillery", about, List.copyOf(files));
        store.createIfAbsent(Keys.manifest(prefix), Manifests.write(manifest));
        return Manifests.find(store, prefix).orElseThrow();
    }
}
