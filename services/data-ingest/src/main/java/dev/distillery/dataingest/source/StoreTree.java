package dev.distillery.dataingest.source;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.NoSuchFileException;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

import dev.distillery.artifacts.ArtifactMissingException;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.ObjectInfo;

/** A prefix of a bucket. */
public final class StoreTree implements FileTree {
    private final ArtifactStore store;
    private final String uri;
    private final String prefix;
    private final Map<String, ObjectInfo> objects;

    /** @param prefix empty, or ending with a slash */
    public StoreTree(ArtifactStore store, String uri, String prefix) {
        this.store = store;
        this.uri = uri;
        this.prefix = prefix;
        this.objects = store.list(prefix).stream()
                .filter(o -> !o.key().endsWith("/"))
                .collect(Collectors.toMap(o -> o.key().substring(prefix.length()), Function.identity()));
    }

    @Override
    public String uri() {
        return uri;
    }

    @Override
    public List<Entry> files() {
        return objects.entrySet().stream()
                .map(o -> new Entry(o.getKey(), o.getValue().size()))
                .filter(entry -> !entry.name().startsWith(".") && !entry.name().contains("/."))
                .sorted(Comparator.comparing(Entry::name))
                .toList();
    }

    @Override
    public InputStream open(String name) throws IOException {
        try {
            return store.open(prefix + name);
        } catch (ArtifactMissingException e) {
            throw new NoSuchFileException(uri + "/" + name);
        }
    }

    @Override
    public byte[] read(String name, long offset, int length) throws IOException {
        try (InputStream in = store.open(prefix + name, offset, length)) {
            return FileTree.exactly(in, length);
        } catch (ArtifactMissingException e) {
            throw new NoSuchFileException(uri + "/" + name);
        }
    }

    @Override
    public LocalFile local(String name) throws IOException {
        return LocalFile.copyOf(open(name));
    }

    @Override
    public long size(String name) throws IOException {
        return object(name).size();
    }

    /** The store's own digest: reading every object only to name the result would double the traffic. */
    @Override
    public String digest(String name) throws IOException {
        ObjectInfo object = object(name);
        return object.etag() + "-" + object.size();
    }

    private ObjectInfo object(String name) throws NoSuchFileException {
        ObjectInfo object = objects.get(name);
        if (object == null) {
            throw new NoSuchFileException(uri + "/" + name);
        }
        return object;
    }

    @Override
    public boolean isLocal() {
        return false;
    }
}
