package dev.distillery.dataingest;

import java.io.IOException;
import java.util.Optional;
import java.util.function.Function;

import dev.distillery.artifacts.ArtifactMissingException;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.StoreRefusedException;
import dev.distillery.dataingest.shard.PairFilter;
import dev.distillery.dataingest.source.AllowedFolders;
import dev.distillery.dataingest.source.Captions;
import dev.distillery.dataingest.source.FileTree;
import dev.distillery.dataingest.source.HubTree;
import dev.distillery.dataingest.source.PairSource;
import dev.distillery.dataingest.source.PairSources;
import dev.distillery.dataingest.source.SourceException;
import dev.distillery.dataingest.source.StoreTree;
import dev.distillery.dataingest.source.web.LinkedPairs;
import dev.distillery.dataingest.source.web.WebClient;
import dev.distillery.dataingest.source.web.WebTree;
import dev.distillery.events.TrainRequest;
import dev.distillery.hub.HubClient;

/**
 * Opens the places that a request names: {@code hf://}, {@code s3://bucket/prefix}, {@code file:///dir}, and for data sets
 * {@code https://}.
 */
public final class Sources {
    private static final String KNOWN =
            "hf://owner/name, s3://bucket/prefix and file:///dir (on data-ingest's machine) are";

    private final Optional<Function<String, ArtifactStore>> buckets;
    private final HubClient hub;
    private final WebClient web;
    private final AllowedFolders folders;

    private Sources(
            Optional<Function<String, ArtifactStore>> buckets, HubClient hub, WebClient web, AllowedFolders folders) {
        this.buckets = buckets;
        this.folders = folders;
        this.hub = hub;
        this.web = web;
    }

    /**
     * @param buckets the store by bucket
     * @param folders of this machine
     */
    public static Sources of(
            Function<String, ArtifactStore> buckets, HubClient hub, WebClient web, AllowedFolders folders) {
        return new Sources(Optional.of(buckets), hub, web, folders);
    }

    /** All but those in a store, which is not there yet; every folder of this machine. */
    public static Sources withoutStore(HubClient hub, WebClient web) {
        return new Sources(Optional.empty(), hub, web, AllowedFolders.all());
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
            return folders.open(field, uri);
        }
        if (uri.startsWith("hf://")) {
            return HubTree.open(hub, field, uri);
        }
        if (uri.startsWith("s3://")) {
            return bucket(field, uri);
        }
        if (field.startsWith("dataset.") && uri.matches("https?://.*")) {
            return WebTree.open(web, field, uri);
        }
        throw new SourceException(field, uri.replaceFirst(":.*", "://") + " cannot be read; " + KNOWN);
    }

    /**
     * The pairs of a data set or a subject, with their pictures wherever those are.
     *
     * @throws SourceException if they cannot be read as the request says
     */
    PairSource pairs(FileTree tree, TrainRequest request) throws IOException {
        if (request.teachesSubject()) {
            return PairSources.subject(tree, request.subject().prompt());
        }
        TrainRequest.Dataset how = request.dataset();
        PairSource pairs = PairSources.open(tree, how.image(), new Captions(how.captions()));
        return LinkedPairs.of(pairs, web, new PairFilter(how.filter())::wants);
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
