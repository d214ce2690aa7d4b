package dev.distillery.dataingest;

import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;

import dev.distillery.artifacts.ArtifactMissingException;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.StoreRefusedException;
import dev.distillery.dataingest.source.FileTree;
import dev.distillery.dataingest.source.LocalTree;
import dev.distillery.dataingest.source.SourceException;
import dev.distillery.dataingest.source.StoreTree;
import dev.distillery.dataingest.source.hub.HubClient;
import dev.distillery.dataingest.source.hub.HubTree;

/** Opens the places that a request names: {@code hf://}, {@code s3://bucket/prefix} and {@code file:///dir}. */
public final class Sources {
    private static final String KNOWN =
            "hf://owner/name, s3://bucket/prefix and file:///dir (on data-ingest's machine) are";

    private final Optional<Function<String, ArtifactStore>> buckets;
    private final HubClient hub;

    private Sources(Optional<Function<String, ArtifactStore>> buckets, HubClient hub) {
        this.buckets = buckets;
        this.hub = hub;
    }

    /** @param buckets the store by bucket */
    public static Sources of(Function<String, ArtifactStore> buckets, HubClient hub) {
        return new Sources(Optional.of(buckets), hub);
    }

    /** All but those in a store, which is not there yet. */
    public static Sources withoutStore(HubClient hub) {
        return new Sources(Optional.empty(), hub);
    }

    /** Whether {@link #open} can tell what is there. */
    public boolean reaches(String uri) {
        return buckets.isPresent() || !uri.startsWith("s3://");
    }

    /**
     * @param field the request's field that has the address
     * @throws SourceException if the address is of another kind, or nothing is there
     */
    public FileTree open(String field, String uri) throws IOException {
        if (uri.startsWith("file://")) {
            try {
                return new LocalTree(Path.of(uri.substring("file://".length())));
            } catch (NoSuchFileException | InvalidPathException e) {
                throw new SourceException(field, e.getMessage());
            }
        }
        if (uri.startsWith("hf://")) {
            return HubTree.open(hub, field, uri);
        }
        if (uri.startsWith("s3://")) {
            return bucket(field, uri);
        }
        throw new SourceException(field, uri.replaceFirst(":.*", "://") + " cannot be read yet; " + KNOWN);
    }

    private FileTree bucket(String field, String uri) throws SourceException {
        String[] parts = uri.substring("s3://".length()).split("/", 2);
        String prefix = parts.length < 2 ? "" : parts[1].replaceFirst("/*$", "");
        try {
            var tree = new StoreTree(buckets.orElseThrow().apply(parts[0]), uri, prefix.isEmpty() ? "" : prefix + "/");
            if (tree.files().isEmpty()) {
                throw new SourceException(field, uri + " has no objects");
            }
            return tree;
        } catch (ArtifactMissingException e) {
            throw new SourceException(field, "there is no bucket '" + parts[0] + "'");
        } catch (StoreRefusedException | IllegalArgumentException e) {
            throw new SourceException(field, uri + " cannot be read: " + e.getMessage());
        }
    }
}
