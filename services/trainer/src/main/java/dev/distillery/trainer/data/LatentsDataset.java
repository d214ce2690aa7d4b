package dev.distillery.trainer.data;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

import dev.distillery.trainer.data.LatentsIndex.Place;
import dev.distillery.trainer.data.LatentsShard.Dimensions;

/** All encoded pairs of a data set, by their numbers, from shards that are fetched when they are needed. Thread-safe. */
public final class LatentsDataset implements AutoCloseable {

    private final LatentsIndex index;
    private final ShardCache cache;

    public LatentsDataset(LatentsIndex index, ShardCache cache) {
        this.index = index;
        this.cache = cache;
    }

    public LatentsIndex index() {
        return index;
    }

    /** One pair, which may be read until it is closed. */
    Pair pair(int number) {
        Place place = index.placeOf(number);
        return new Pair(cache.use(place.shard()), place);
    }

    /** Where pairs stand in the data set. */
    public List<Long> positions(int... pairs) {
        Map<Integer, Long> positions = new HashMap<>();
        Arrays.stream(pairs)
                .sorted()
                .forEach(
                        number -> { // shard after shard
                            try (Pair pair = pair(number)) {
                                positions.put(number, pair.position());
                            }
                        });
        return Arrays.stream(pairs).mapToObj(positions::get).toList();
    }

    /** What will be needed next, in this order. */
    void expect(IntStream pairs) {
        cache.expect(pairs.map(index::shardOf));
    }

    @Override
    public void close() {
        cache.close();
    }

    record Pair(ShardCache.Use use, Place place) implements AutoCloseable {
        private LatentsShard shard() {
            return use.shard();
        }

        @Override
        public void close() {
            use.close();
        }

        long position() {
            return shard().positionOf(place.size(), place.row());
        }

        Dimensions dimensions() {
            return shard().dimensions(place.size());
        }

        /** Writes {@code (mean + std * eps) * scale} to {@code latent[at, ...)}, where {@code eps} is on entry. */
        void sampleLatent(int view, float scale, float[] latent, int at) {
            Dimensions d = dimensions();
            float[] mean = new float[d.latent()];
            float[] std = new float[d.latent()];
            long row = (long) place.row() * d.views() + view;
            shard().copyRow("mean." + place.size(), row, mean.length, mean, 0);
            shard().copyRow("std." + place.size(), row, std.length, std, 0);
            for (int i = 0; i < mean.length; i++) {
                latent[at + i] = (mean[i] + std[i] * latent[at + i]) * scale;
            }
        }

        /** @param captioned or with the empty caption */
        void copyPromptEmbeds(boolean captioned, float[] target, int at) {
            shard().copyRow("prompt_embeds", caption(captioned), dimensions().prompt(), target, at);
        }

        void copyPooled(boolean captioned, float[] target, int at) {
            shard().copyRow("pooled", caption(captioned), dimensions().pooled(), target, at);
        }

        /** Original size, crop offset and target size, each height before width. */
        void copyTimeIds(int view, float[] target, int at) {
            long row = (long) place.row() * dimensions().views() + view;
            shard().copyRow("time_ids." + place.size(), row, Batches.TIME_IDS, target, at);
        }

        private long caption(boolean captioned) {
            return captioned ? shard().captionOf(place.size(), place.row()) : LatentsShard.EMPTY_CAPTION;
        }
    }
}
