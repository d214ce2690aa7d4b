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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.Manifest;
import dev.distillery.artifacts.Manifest.FileEntry;
import dev.distillery.artifacts.Manifests;
import dev.distillery.artifacts.PrefixWriter;
import dev.distillery.dataingest.source.Pair;
import dev.distillery.dataingest.source.PairSource;

/** Copies the usable pairs of a source into the store, shard by shard; goes on behind the last finished shard. */
public final class DatasetIngest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ArtifactStore store;

    /** Told the position in the source and its size. */
    public interface Progress {
        void at(long done, long total);
    }

    public DatasetIngest(ArtifactStore store) {
        this.store = store;
    }

    /**
     * @param fingerprint of everything that the content depends on; a complete data set of this name is taken as it is
     * @param limit at most so many pairs
     * @param sourceUri for people
     * @throws NothingUsableException if no pair is left
     */
    public IngestedDataset run(String fingerprint, PairSource source, long limit, String sourceUri, Progress progress)
            throws IOException {
        String prefix = Keys.dataset(fingerprint);
        var complete = Manifests.find(store, prefix);
        if (complete.isPresent()) {
            return IngestedDataset.of(fingerprint, complete.get());
        }
        Instant started = Instant.now();
        var writer = new PrefixWriter(store, prefix);
        List<ShardNote> shards = finished(prefix);
        shards.forEach(shard -> shard.files().forEach(writer::include));
        long position = shards.isEmpty() ? 0 : shards.get(shards.size() - 1).next();
        long pairs = shards.stream().mapToLong(ShardNote::pairs).sum();
        long size = Math.max(1, source.size());

        try (UsablePairs usable = new UsablePairs(counted(source.from(position), position, size, progress), position)) {
            while (pairs < limit && usable.peek() != null) {
                ShardNote shard = shard(writer, prefix, shards.size(), usable, pairs, limit - pairs);
                shards.add(shard);
                pairs += shard.pairs();
            }
            // Only bad pairs may have come behind the last shard, or no good one at all.
            List<Skipped> rest = usable.skipped();
            if (pairs == 0) {
                throw new NothingUsableException(sourceUri, reasons(rest));
            }
            if (!rest.isEmpty()) {
                writer.add("shards/rest.skipped.jsonl", lines(rest));
                shards.add(new ShardNote(0, rest.size(), usable.position(), reasons(rest), List.of()));
            }
        }
        progress.at(size, size);
        double seconds = Duration.between(started, Instant.now()).toMillis() / 1e3;
        Manifest manifest = writer.complete("dataset", about(shards, seconds, sourceUri));
        return IngestedDataset.of(fingerprint, manifest);
    }

    private List<ShardNote> finished(String prefix) throws IOException {
        var shards = new ArrayList<ShardNote>();
        while (store.stat(note(prefix, shards.size())).isPresent()) {
            shards.add(JSON.readValue(store.read(note(prefix, shards.size())), ShardNote.class));
        }
        return shards;
    }

    /** Through a file: when the store fails half-way, the shard goes up again without reading the source again. */
    private ShardNote shard(PrefixWriter writer, String prefix, int index, UsablePairs usable, long first, long most)
            throws IOException {
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
            var note = new ShardNote(pairs, skipped.size(), usable.position(), reasons(skipped), files);
            store.put(note(prefix, index), JSON.writeValueAsBytes(note));
            return note;
        } finally {
            Files.delete(tar);
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

    private static Map<String, Object> about(List<ShardNote> shards, double seconds, String source) {
        var reasons = new TreeMap<String, Integer>();
        shards.forEach(shard -> shard.reasons().forEach((reason, n) -> reasons.merge(reason, n, Integer::sum)));
        List<Integer> sizes =
                shards.stream().map(ShardNote::pairs).filter(n -> n > 0).toList();
        var about = new LinkedHashMap<String, Object>();
        about.put("pairs", sizes.stream().mapToInt(Integer::intValue).sum());
        about.put("skipped", shards.stream().mapToInt(ShardNote::skipped).sum());
        about.put("shards", sizes.size());
        about.put("seconds", seconds);
        about.put("source", source);
        about.put("reasons", reasons);
        about.put("shardPairs", sizes);
        return about;
    }

    private static PairSource.Cursor counted(PairSource.Cursor cursor, long from, long size, Progress progress) {
        return new PairSource.Cursor() {
            private long position = from;

            @Override
            public Pair next() throws IOException {
                progress.at(position++, Math.max(size, position));
                return cursor.next();
            }

            @Override
            public void close() throws IOException {
                cursor.close();
            }
        };
    }
}
