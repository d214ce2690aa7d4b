package dev.distillery.evaluator;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.Manifest;
import dev.distillery.artifacts.shard.Sample;
import dev.distillery.artifacts.shard.ShardReader;
import dev.distillery.evaluator.score.HeldOutImage;

/** The pairs of a data set in the store, by position. */
final class StoredPairs {
    private final ArtifactStore store;
    private final String prefix;
    private final Manifest manifest;

    StoredPairs(ArtifactStore store, String prefix, Manifest manifest) {
        this.store = store;
        this.prefix = prefix;
        this.manifest = manifest;
    }

    /** How many are held out: the last ones. */
    int heldOut() {
        return manifest.about().get("validationPairs") instanceof Number pairs ? pairs.intValue() : 0;
    }

    int all() {
        return shardPairs().stream().mapToInt(Integer::intValue).sum();
    }

    List<HeldOutImage> from(int first, int count) throws IOException {
        List<HeldOutImage> pairs = new ArrayList<>();
        int before = 0;
        int shard = 0;
        for (int inShard : shardPairs()) {
            if (before < first + count && first < before + inShard) {
                add(shard, first, first + count, pairs);
            }
            before += inShard;
            shard++;
        }
        if (pairs.size() != count) {
            throw new IOException(
                    prefix + " has " + pairs.size() + " of the " + count + " pairs from " + first + " on");
        }
        return pairs;
    }

    private void add(int shard, int from, int to, List<HeldOutImage> pairs) throws IOException {
        try (var reader = new ShardReader(store.open(Keys.shard(prefix, shard, "tar")))) {
            for (Sample sample = reader.next(); sample != null && sample.position() < to; sample = reader.next()) {
                if (sample.position() >= from) {
                    pairs.add(new HeldOutImage(sample.caption(), sample.image()));
                }
            }
        }
    }

    private List<Integer> shardPairs() {
        if (manifest.about().get("shardPairs") instanceof List<?> pairs) {
            return pairs.stream().map(n -> ((Number) n).intValue()).toList();
        }
        throw new IllegalArgumentException(prefix + " is no data set: its manifest has no 'shardPairs'");
    }
}
