package dev.distillery.trainer.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import dev.distillery.artifacts.ArtifactMissingException;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.Manifest;
import dev.distillery.artifacts.Manifests;

/** What pairs a data set has and where they are, from its manifest: pairs are numbered through shards, sizes and rows. */
public final class LatentsIndex {
    private final List<Shard> shards;
    private final int[] firstPair; // of each shard, and behind the last one
    private final int validationPairs;

    /**
     * @param file below the data set's prefix
     * @param sizes number of pairs by their latents' size
     */
    record Shard(String file, long bytes, String sha256, Map<LatentSize, Integer> sizes) {
        int pairs() {
            return sizes.values().stream().mapToInt(Integer::intValue).sum();
        }
    }

    /** @param row among the shard's pairs of the size */
    record Place(int shard, LatentSize size, int row) {}

    LatentsIndex(List<Shard> shards, int validationPairs) {
        this.shards = List.copyOf(shards);
        this.validationPairs = validationPairs;
        firstPair = new int[shards.size() + 1];
        for (int i = 0; i < shards.size(); i++) {
            firstPair[i + 1] = Math.addExact(firstPair[i], shards.get(i).pairs());
        }
        if (pairs() == 0) {
            throw new IllegalArgumentException("The latents hold no encoded pair");
        }
    }

    /** @throws ArtifactMissingException if the latents are not complete in the store */
    public static LatentsIndex of(ArtifactStore store, String fingerprint) {
        String prefix = Keys.latents(fingerprint);
        Manifest manifest = Manifests.require(store, prefix);
        return of(prefix, manifest);
    }

    /** @param prefix for messages */
    public static LatentsIndex of(String prefix, Manifest manifest) {
        Map<String, Manifest.FileEntry> files = new LinkedHashMap<>();
        manifest.files().forEach(file -> files.put(file.name(), file));
        List<Shard> shards = new ArrayList<>();
        if (!(manifest.about().get("shardSizes") instanceof List<?> sizes)) {
            throw new IllegalArgumentException(
                    prefix + " was encoded by an older version: its manifest has no 'shardSizes'");
        }
        for (int i = 0; i < sizes.size(); i++) {
            Manifest.FileEntry file = files.get(Keys.shardName(i, "safetensors"));
            if (file != null) { // else it was put aside
                shards.add(new Shard(file.name(), file.size(), file.sha256(), sizes((Map<?, ?>) sizes.get(i))));
            }
        }
        return new LatentsIndex(shards, ((Number) manifest.about().get("validationPairs")).intValue());
    }

    private static Map<LatentSize, Integer> sizes(Map<?, ?> counts) {
        Map<LatentSize, Integer> sizes = new LinkedHashMap<>();
        counts.forEach((size, pairs) -> sizes.put(LatentSize.of((String) size), ((Number) pairs).intValue()));
        return sizes;
    }

    public int pairs() {
        return firstPair[shards.size()];
    }

    /** How many pairs, the last ones, come from a source of their own to be held out. */
    public int validationPairs() {
        return validationPairs;
    }

    List<Shard> shards() {
        return shards;
    }

    int shardOf(int pair) {
        int found = Arrays.binarySearch(firstPair, pair + 1);
        return found >= 0 ? found - 1 : -found - 2;
    }

    /** The first pair of a shard; of the number behind the last shard, how many pairs there are. */
    int firstPair(int shard) {
        return firstPair[shard];
    }

    LatentSize sizeOf(int pair) {
        return placeOf(pair).size();
    }

    Place placeOf(int pair) {
        int shard = shardOf(pair);
        int row = pair - firstPair[shard];
        for (Map.Entry<LatentSize, Integer> size : shards.get(shard).sizes().entrySet()) {
            if (row < size.getValue()) {
                return new Place(shard, size.getKey(), row);
            }
            row -= size.getValue();
        }
        throw new IndexOutOfBoundsException("No pair " + pair + " among " + pairs());
    }
}
