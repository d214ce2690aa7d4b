package dev.distillery.evaluator;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeSet;

import dev.distillery.artifacts.ArtifactMissingException;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Digest;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.Manifest;
import dev.distillery.artifacts.Manifests;
import dev.distillery.artifacts.shard.Sample;
import dev.distillery.artifacts.shard.ShardReader;
import dev.distillery.evaluator.score.HeldOutImage;

/** The pairs of a data set in the store, by their positions. */
final class StoredPairs {
    private final ArtifactStore store;
    private final String prefix;
    private final List<Integer> shardPairs;

    /** @throws ArtifactMissingException if the data set is not complete */
    StoredPairs(ArtifactStore store, String prefix) {
        this.store = store;
        this.prefix = prefix;
        Manifest manifest = Manifests.require(store, prefix);
        if (!(manifest.about().get("shardPairs") instanceof List<?> pairs)) {
            throw new IllegalArgumentException(prefix + " is no data set: its manifest has no 'shardPairs'");
        }
        shardPairs = pairs.stream().map(n -> ((Number) n).intValue()).toList();
    }

    private interface Each {
        void accept(HeldOutImage pair) throws IOException;
    }

    /** As {@link HeldOutImage#addTo} makes it of all. */
    String digest(List<Long> positions) throws IOException {
        var digest = new Digest();
        forEach(positions, pair -> pair.addTo(digest));
        return digest.hex();
    }

    List<HeldOutImage> at(List<Long> positions) throws IOException {
        List<HeldOutImage> pairs = new ArrayList<>();
        forEach(positions, pairs::add);
        return pairs;
    }

    /** @param positions ascending */
    private void forEach(List<Long> positions, Each each) throws IOException {
        NavigableSet<Long> left = new TreeSet<>(positions);
        long first = 0;
        for (int shard = 0; shard < shardPairs.size(); shard++) {
            long next = first + shardPairs.get(shard);
            read(shard, left.subSet(first, true, next, false), each);
            first = next;
        }
        if (!left.isEmpty()) {
            throw new IOException(prefix + " has no pairs at the positions " + left);
        }
    }

    /** @param left of the shard; those that are read go */
    private void read(int shard, Set<Long> left, Each each) throws IOException {
        if (left.isEmpty()) {
            return;
        }
        try (var reader = new ShardReader(store.open(Keys.shard(prefix, shard, "tar")))) {
            for (Sample sample = reader.next(); sample != null && !left.isEmpty(); sample = reader.next()) {
                if (left.remove(sample.position())) {
                    each.accept(new HeldOutImage(sample.caption(), sample.image()));
                }
            }
        }
    }
}
