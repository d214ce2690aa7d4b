package dev.distillery.evaluator;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

import dev.distillery.artifacts.ArtifactCorruptException;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Digest;
import dev.distillery.artifacts.ObjectInfo;
import dev.distillery.evaluator.score.Digests;

/** Files that users have put into the store themselves: they have no manifest, so their digests are taken once and kept. */
final class GivenFiles {
    private final ArtifactStore store;

    GivenFiles(ArtifactStore store) {
        this.store = store;
    }

    /**
     * The key that {@code s3://bucket/key} names.
     *
     * @throws IllegalArgumentException if it is in another bucket
     */
    String key(String field, String uri) {
        String own = "s3://" + store.bucket() + "/";
        if (!uri.startsWith(own)) {
            throw new IllegalArgumentException("'" + field + "' must begin with " + own + " but was '" + uri + "'");
        }
        return uri.substring(own.length());
    }

    /**
     * SHA-256 of a model's files by their names below the prefix.
     *
     * @throws IllegalArgumentException if there are none
     */
    SortedMap<String, String> digests(String prefix) throws IOException {
        var digests = new TreeMap<String, String>();
        for (ObjectInfo object : store.list(prefix)) {
            if (Digests.isOfModel(object.key())) {
                digests.put(object.key().substring(prefix.length()), digest(object.key()));
            }
        }
        if (digests.isEmpty()) {
            throw new IllegalArgumentException("there is no model below " + prefix + " in the store");
        }
        return digests;
    }

    String digest(String key) throws IOException {
        try (InputStream content = store.open(key)) {
            return Digest.of(content);
        }
    }

    /** Copies a model's files, which must be what they were. */
    void fetch(String prefix, SortedMap<String, String> digests, Path folder) throws IOException {
        for (Map.Entry<String, String> file : digests.entrySet()) {
            Path to = folder.resolve(file.getKey()).normalize();
            if (!to.startsWith(folder)) {
                throw new IllegalArgumentException("'" + prefix + file.getKey() + "' leaves its folder");
            }
            Files.createDirectories(to.getParent());
            fetch(prefix + file.getKey(), file.getValue(), to);
        }
    }

    void fetch(String key, String digest, Path to) {
        String found = store.fetch(key, to).sha256();
        if (!found.equals(digest)) {
            throw new ArtifactCorruptException(
                    key + " has changed: its SHA-256 should be " + digest + " but is " + found);
        }
    }
}
