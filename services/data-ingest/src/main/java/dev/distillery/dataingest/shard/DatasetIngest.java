package dev.distillery.dataingest.shard;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.Manifest;
import dev.distillery.artifacts.Manifest.FileEntry;
import dev.distillery.artifacts.Manifests;
import dev.distillery.artifacts.PrefixWriter;
import dev.distillery.dataingest.source.Pair;
import dev.distillery.dataingest.source.PairSource;
import dev.distillery.events.TrainRequest;

/** Copies the usable pairs of sources into the store, shard by shard; goes on behind the last finished shard. */
public final class DatasetIngest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ArtifactStore store;
    private final Filled filled;

    /** Told of each shard that is in the store, and of what a source had behind its last one. */
    public interface Filled {
        /** @param took from reading its pairs to its being stored */
        void shard(ShardNote shard, Duration took);
    }

    /** Told the position in the source and its size. */
    public interface Progress {
        void at(long done, long total);
    }

    /**
     * A source of the data set; a shard holds pairs of one only.
     *
     * @param filter what its pairs must be like
     * @param limit at most so many pairs
     * @param validation whether its pairs are held out for the evaluation
     */
    public record Part(PairSource pairs, TrainRequest.Filter filter, long limit, boolean validation) {}

    public DatasetIngest(ArtifactStore store) {
        this(store, (shard, took) -> {});
    }

    public DatasetIngest(ArtifactStore store, Filled filled) {
        this.store = store;
        this.filled = filled;
    }

    /**
     * @param fingerprint of everything that the content depends on; a complete data set of this name is taken as it is
     * @param parts in this order; those held out come last
     * @param sourceUri for people
     * @throws NothingUsableException if no pair of a part is left
     */
    public IngestedDataset run(String fingerprint, List<Part> parts, String sourceUri, Progress progress)
            throws IOException {
        String prefix = Keys.dataset(fingerprint);
        var complete = Manifests.find(store, prefix);
        if (complete.isPresent()) {
            return IngestedDataset.of(fingerprint, complete.get());
        }
        Instant started = Instant.now();
        var filling = new Filling(prefix, sourceUri);
        long[] sizes = new long[parts.size()];
        for (int i = 0; i < sizes.length; i++) {
            sizes[i] = parts.get(i).pairs.size();
        }
        long size = Math.max(1, Arrays.stream(sizes).sum());
        List<ShardNote> rests = new ArrayList<>();
        for (int i = 0; i < sizes.length; i++) {
            long before = Arrays.stream(sizes, 0, i).sum();
            rests.add(filling.read(parts.get(i), i, at -> progress.at(before + at, Math.max(size, before + at))));
        }
        progress.at(size, size);
        double seconds = Duration.between(started, Instant.now()).toMillis() / 1e3;
        int heldOut = filling.shards.stream()
                .filter(shard -> parts.get(shard.part()).validation)
                .mapToInt(ShardNote::pairs)
                .sum();
        List<ShardNote> all =
                Stream.concat(filling.shards.stream(), rests.stream()).toList();
        Manifest manifest = filling.writer.complete("dataset", about(all, heldOut, seconds, sourceUri));
        return IngestedDataset.of(fingerprint, manifest);
    }

    /** A data set on its way into the store: the shards that are there, and those to come. */
    private final class Filling {
        private final String prefix;
        private final String sourceUri;
        private final PrefixWriter writer;
        private final List<ShardNote> shards = new ArrayList<>();
        private final SeenImages seen = new SeenImages();

        Filling(String prefix, String sourceUri) throws IOException {
            this.prefix = prefix;
            this.sourceUri = sourceUri;
            writer = new PrefixWriter(store, prefix);
            while (store.stat(note(prefix, shards.size())).isPresent()) {
                shards.add(JSON.readValue(store.read(note(prefix, shards.size())), ShardNote.class));
            }
            shards.forEach(shard -> {
                shard.files().forEach(writer::include);
                seen.addAll(shard.digests());
            });
        }

        /**
         * Adds the shards of a part.
         *
         * @param at told the position in the part
         * @return what came behind the last one: only bad pairs, or nothing
         */
        ShardNote read(Part part, int index, LongConsumer at) throws IOException {
            List<ShardNote> own =
                    shards.stream().filter(shard -> shard.part() == index).toList();
            long position = own.isEmpty() ? 0 : own.get(own.size() - 1).next();
            long pairs = own.stream().mapToLong(ShardNote::pairs).sum();
            try (UsablePairs usable = new UsablePairs(
                    counted(part.pairs.from(position), position, at), position, new PairFilter(part.filter), seen)) {
                while (pairs < part.limit && usable.peek() != null) {
                    Instant started = Instant.now();
                    ShardNote shard = shard(index, usable, part.limit - pairs);
                    filled.shard(shard, Duration.between(started, Instant.now()));
                    shards.add(shard);
                    pairs += shard.pairs();
                }
                List<Skipped> rest = usable.skipped();
                if (pairs == 0) {
                    throw new NothingUsableException(sourceUri, reasons(rest));
                }
                if (!rest.isEmpty()) {
                    writer.add("shards/rest" + (index == 0 ? "" : "-" + index) + ".skipped.jsonl", lines(rest));
                }
                var behind =
                        new ShardNote(index, 0, rest.size(), usable.position(), reasons(rest), List.of(), List.of());
                filled.shard(behind, Duration.ZERO);
                return behind;
            }
        }

        /** Through a file: when the store fails half-way, the shard goes up again without reading the source again. */
        private ShardNote shard(int part, UsablePairs usable, long most) throws IOException {
            int index = shards.size();
            long first = shards.stream().mapToLong(ShardNote::pairs).sum();
            int filesBefore = writer.files().size();
            Path tar = Files.createTempFile("shard", ".tar");
            try {
                int pairs;
                try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(tar))) {
                    pairs = ShardTar.write(usable, first, most, out);
                }
                List<Skipped> skipped = usable.skipped();
                writer.add(Keys.shardName(index, "tar"), tar);
                writer.add(Keys.shardName(index, "skipped.jsonl"), lines(skipped));
                List<FileEntry> files =
                        writer.files().subList(filesBefore, writer.files().size());
                var note = new ShardNote(
                        part, pairs, skipped.size(), usable.position(), reasons(skipped), seen.since(), files);
                store.put(note(prefix, index), JSON.writeValueAsBytes(note));
                return note;
            } finally {
                Files.delete(tar);
            }
        }
    }

    private static String note(String prefix, int index) {
        return Keys.shard(prefix, index, "json");
    }

    private static byte[] lines(List<Skipped> skipped) throws IOException {
        var lines = new StringBuilder();
        for (Skipped pair : skipped) {
            lines.append(JSON.writeValueAsString(pair)).append('\n');
        }
        return lines.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static Map<String, Integer> reasons(List<Skipped> skipped) {
        var reasons = new TreeMap<String, Integer>();
        skipped.forEach(pair -> reasons.merge(pair.reason(), 1, Integer::sum));
        return reasons;
    }

    private static Map<String, Object> about(List<ShardNote> shards, int heldOut, double seconds, String source) {
        var reasons = new TreeMap<String, Integer>();
        shards.forEach(shard -> shard.reasons().forEach((reason, n) -> reasons.merge(reason, n, Integer::sum)));
        List<Integer> sizes =
                shards.stream().map(ShardNote::pairs).filter(n -> n > 0).toList();
        var about = new LinkedHashMap<String, Object>();
        about.put("pairs", sizes.stream().mapToInt(Integer::intValue).sum());
        about.put("validationPairs", heldOut);
        about.put("skipped", shards.stream().mapToInt(ShardNote::skipped).sum());
        about.put("shards", sizes.size());
        about.put("seconds", seconds);
        about.put("source", source);
        about.put("reasons", reasons);
        about.put("shardPairs", sizes);
        return about;
    }

    private static PairSource.Cursor counted(PairSource.Cursor cursor, long from, LongConsumer at) {
        return new PairSource.Cursor() {
            private long position = from;

            @Override
            public Pair next() throws IOException {
                at.accept(position++);
                return cursor.next();
            }

            @Override
            public void close() throws IOException {
                cursor.close();
            }
        };
    }
}
