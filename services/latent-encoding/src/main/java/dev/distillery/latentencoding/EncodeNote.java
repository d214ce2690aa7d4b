package dev.distillery.latentencoding;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.latentencoding.LatentsShards.Note;

/** {@code runs/<run>/stages/encode.json}: says that the run's latents were announced, and how long they took. */
final class EncodeNote {
    static final String STAGE = "encode";

    private static final ObjectMapper JSON = new ObjectMapper();

    private EncodeNote() {}

    static boolean exists(ArtifactStore store, String run) {
        return store.stat(Keys.stage(run, STAGE)).isPresent();
    }

    /** From the first shard's start to the last one's end, whoever encoded them; no time if another run had it done. */
    static void write(ArtifactStore store, String run, String latents, List<Note> shards) {
        boolean reused = shards.stream().noneMatch(shard -> shard.run().equals(run));
        Instant now = Instant.now();
        Instant started = reused
                ? now
                : shards.stream()
                        .map(shard -> Instant.parse(shard.started()))
                        .min(Instant::compareTo)
                        .orElse(now);
        Instant ended = reused
                ? now
                : shards.stream()
                        .map(shard -> Instant.parse(shard.ended()))
                        .max(Instant::compareTo)
                        .orElse(now);
        Map<String, Object> detail = new LinkedHashMap<>();
        detail.put("pairs", shards.stream().mapToInt(Note::pairs).sum());
        detail.put("shards", shards.size());
        detail.put("reused", reused);
        detail.put(
                "shardsBy",
                shards.stream().collect(Collectors.groupingBy(Note::by, TreeMap::new, Collectors.counting())));
        detail.put("latents", latents);
        Map<String, Object> stage = new LinkedHashMap<>();
        stage.put("stage", STAGE);
        stage.put("started", started.toString());
        stage.put("ended", ended.toString());
        stage.put("seconds", Duration.between(started, ended).toMillis() / 1e3);
        stage.put("detail", detail);
        try {
            store.createIfAbsent(Keys.stage(run, STAGE), JSON.writeValueAsBytes(stage));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
