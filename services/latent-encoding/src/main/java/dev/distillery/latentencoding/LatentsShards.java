package dev.distillery.latentencoding;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

    private final ArtifactStore store;
    private final String prefix;

    /**
     * What a whole shard says about itself.
     *
     * @param run that had it encoded
     * @param started ISO instant
     */
    record Note(String run, int pairs, String started, String ended, List<FileEntry> files) {}

    LatentsShards(ArtifactStore store, String fingerprint) {
        this.store = store;
        this.prefix = Keys.latents(fingerprint);
    }

    Optional<Note> note(int shard) {
        String key = Keys.shard(prefix, shard, "json");
        return store.stat(key).isPresent() ? Optional.of(read(key)) : Optional.empty();
    }

    private Note read(String key) {
        try {
            return JSON.readValue(store.read(key), Note.class);
        } catch (IOException e) {
            throw new UncheckedIOException(key + " is no note of a shard", e);
        }
    }

    /** Indices of the shards that are whole, of {@code shards}. */
    List<Integer> whole(int shards) {
        Set<String> keys = store.list(prefix + "shards/").stream()
                .map(object -> object.key())
                .collect(Collectors.toSet());
        return IntStream.range(0, shards)
                .filter(i -> keys.contains(Keys.shard(prefix, i, "json")))
                .boxed()
                .toList();
    }

    void add(ShardIngested shard, Encoded encoded, String started, String ended) throws IOException {
        var files = new PrefixWriter(store, prefix);
        files.add(Keys.shardName(shard.shard(), "safetensors"), encoded.tensors());
        files.add(Keys.shardName(shard.shard(), "captions.jsonl"), encoded.captions());
        var note = new Note(shard.run(), encoded.pairs(), started, ended, files.files());
        store.put(Keys.shard(prefix, shard.shard(), "json"), JSON.writeValueAsBytes(note));
    }

    /** Makes the manifest, unless another instance was quicker. */
    List<Note> complete(ShardIngested shard, EncodeSettings settings) {
        List<Note> notes = notes(shard.shards());
        var writer = new PrefixWriter(store, prefix);
        notes.forEach(note -> note.files().forEach(writer::include));
        Map<String, Object> about = new LinkedHashMap<>();
        about.put("pairs", notes.stream().mapToInt(Note::pairs).sum());
        about.put("shards", notes.size());
        about.put("dataset", shard.dataset());
        about.put("model", shard.model());
        about.put("resolution", settings.resolution());
        about.put("views", settings.views());
        writer.complete("latents", about);
        return notes;
    }

    List<Note> notes(int shards) {
        var notes = new ArrayList<Note>();
        for (int i = 0; i < shards; i++) {
            notes.add(read(Keys.shard(prefix, i, "json")));
        }
        return notes;
    }
}
