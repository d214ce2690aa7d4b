package dev.distillery.dataingest;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.dataingest.shard.IngestedDataset;

/**
 * What data-ingest leaves about a run at {@code runs/<run>/stages/ingest.json}: for the report, and to find what is done when
 * the request comes again.
 *
 * @param dataset fingerprint
 * @param model fingerprint
 */
record IngestNote(String dataset, String model) {
    static final String STAGE = "ingest";

    private static final ObjectMapper JSON = new ObjectMapper();

    static Optional<IngestNote> find(ArtifactStore store, String run) {
        String key = Keys.stage(run, STAGE);
        if (store.stat(key).isEmpty()) {
            return Optional.empty();
        }
        try {
            JsonNode detail = JSON.readTree(store.read(key)).path("detail");
            return Optional.of(new IngestNote(
                    detail.path("dataset").asText(), detail.path("model").asText()));
        } catch (IOException e) {
            throw new UncheckedIOException(key + " is not JSON", e);
        }
    }

    /** Keeps the first note: a repeated request finds the work done and would say that it took no time. */
    void write(ArtifactStore store, String run, IngestedDataset data, Instant started) {
        var detail = new LinkedHashMap<String, Object>();
        detail.put("pairs", data.pairs());
        detail.put("skipped", data.skipped());
        detail.put("shards", data.shardPairs().size());
        detail.put("dataset", dataset);
        detail.put("model", model);
        Instant ended = Instant.now();
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
