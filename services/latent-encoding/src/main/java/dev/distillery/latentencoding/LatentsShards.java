package dev.distillery.latentencoding;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.Manifest.FileEntry;
import dev.distillery.artifacts.PrefixWriter;
import dev.distillery.events.ShardIngested;
import dev.distillery.latentencoding.ShardEncoder.Encoded;

/**
 * The encoded shards of one data set in the store. Several instances fill it; each shard's note, written last, says that the
 * shard is whole.
 */
final class LatentsShards {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String ME = me();

    private final ArtifactStore store;
    private final String prefix;

    /**
     * What a shard says about itself when it is whole, or was put aside.
     *
     * @param run that had it encoded
     * @param by process that encoded it
     * @param sizes number of pairs by their latents' height and width, in this order
     * @param started ISO instant
     * @param failed why it was put aside; null if it is whole
     */
    record Note(
            String run,
            String by,
            Map<String, Integer> sizes,
            String started,
            String ended,
            String failed,
            List<FileEntry> files) {
        int pairs() {
            return sizes.values().stream().mapToInt(Integer::intValue).sum();
        }
    }

    LatentsShards(ArtifactStore store, String fingerprint) {
        this.store = store;
        this.prefix = Keys.latents(fingerprint);
    }

    /** Host and process, as a trainer calls itself in its lease. */
    private static String me() {
        try {
            return InetAddress.getLocalHost().getHostName() + "-"
                    + ProcessHandle.current().pid();
        } catch (UnknownHostException e) {
            return "localhost-" + ProcessHandle.current().pid();
        }
    }

    boolean isWhole(int shard) {
        return store.stat(note(shard)).isPresent();
    }

    private String note(int shard) {
        return Keys.shard(prefix, shard, "json");
    }

    /** Another key, so that a list of keys tells how many failed. */
    private String noteAside(int shard) {
        return Keys.shard(prefix, shard, "failed.json");
    }

    private Note read(String key) {
        try {
            return JSON.readValue(store.read(key), Note.class);
        } catch (IOException e) {
            throw new UncheckedIOException(key + " is no note of a shard", e);
        }
    }

    /** Indices of the shards that are whole or were put aside, of {@code shards}. */
    List<Integer> settled(int shards) {
        Set<String> keys = keys();
        return IntStream.range(0, shards)
                .filter(i -> keys.contains(note(i)) || keys.contains(noteAside(i)))
                .boxed()
                .toList();
    }

    /** Indices of those that were put aside and did not become whole since. */
    List<Integer> putAside(int shards) {
        Set<String> keys = keys();
        return IntStream.range(0, shards)
                .filter(i -> keys.contains(noteAside(i)) && !keys.contains(note(i)))
                .boxed()
                .toList();
    }

    private Set<String> keys() {
        return store.list(prefix + "shards/").stream()
                .map(object -> object.key())
                .collect(Collectors.toSet());
    }

    void add(ShardIngested shard, Encoded encoded, String started, String ended) throws IOException {
        var files = new PrefixWriter(store, prefix);
        files.add(Keys.shardName(shard.shard(), "safetensors"), encoded.tensors());
        files.add(Keys.shardName(shard.shard(), "captions.jsonl"), encoded.captions());
        put(note(shard.shard()), new Note(shard.run(), ME, encoded.sizes(), started, ended, null, files.files()));
    }

    /** Counts it as failed, until it is encoded after all. */
    void putAside(ShardIngested shard, String reason, String started, String ended) throws IOException {
        put(noteAside(shard.shard()), new Note(shard.run(), ME, Map.of(), started, ended, reason, List.of()));
    }

    private void put(String key, Note note) throws IOException {
        store.put(key, JSON.writeValueAsBytes(note));
    }

    /**
     * Makes the manifest, unless another instance was quicker.
     *
     * @param validationPairs how many pairs, the last ones of the data set, are held out
     */
    void complete(ShardIngested shard, EncodeSettings settings, List<Note> notes, int validationPairs) {
        var writer = new PrefixWriter(store, prefix);
        notes.forEach(note -> note.files().forEach(writer::include));
        Map<String, Object> about = new LinkedHashMap<>();
        about.put("pairs", notes.stream().mapToInt(Note::pairs).sum());
        about.put("shards", notes.size());
        about.put("dataset", shard.dataset());
        about.put("model", shard.model());
        about.put(
                "sizes",
                settings.sizes().stream()
                        .map(size -> size.width() + "x" + size.height())
                        .toList());
        about.put("views", settings.views());
        about.put("validationPairs", validationPairs);
        about.put("shardSizes", notes.stream().map(Note::sizes).toList());
        about.put(
                "failed",
                notes.stream().map(Note::failed).filter(Objects::nonNull).toList());
        writer.complete("latents", about);
    }

    List<Note> notes(List<Integer> shards) {
        return shards.stream()
                .map(i -> read(isWhole(i) ? note(i) : noteAside(i)))
                .toList();
    }
}
