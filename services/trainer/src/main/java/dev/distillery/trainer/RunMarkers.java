package dev.distillery.trainer;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.events.DatasetEncoded;
import dev.distillery.events.MalformedEventException;
import dev.distillery.events.TrainRequest;
import dev.distillery.trainer.run.TrainingRun.Outcome;

/**
 * Objects in the store that say how a run stands: {@code stages/train.json} once it is trained, its extension, its
 * cancellation, its pause.
 */
final class RunMarkers {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final byte[] THERE = "{}".getBytes(StandardCharsets.UTF_8);

    private final ArtifactStore store;

    RunMarkers(ArtifactStore store) {
        this.store = store;
    }

    /**
     * How far a run was trained.
     *
     * @param data that it was trained on
     * @param seconds spent stepping, over all processes that worked on the run
     */
    record Trained(DatasetEncoded data, long step, int epochs, double seconds) {

        /** False when the run was extended since. */
        boolean asFarAs(TrainRequest request) {
            Integer steps = request.train().steps();
            return steps != null ? step >= steps : epochs >= request.train().epochs();
        }
    }

    /** @throws MalformedEventException when nobody has requested a run of this name */
    void requireAccepted(String run) {
        if (store.stat(Keys.request(run)).isEmpty()) {
            throw new MalformedEventException("'run' must be one that was accepted but was '" + run + "'", null);
        }
    }

    /** The request of a run, with the length that it was extended to. */
    TrainRequest request(String run) {
        TrainRequest request = TrainRequest.parse(store.read(Keys.request(run)));
        String extended = Keys.extended(run);
        return store.stat(extended).isPresent() ? request.patched(store.read(extended)) : request;
    }

    /** Lets a run go on to so many epochs or steps in all, the other of which is null. */
    void extend(String run, Integer epochs, Integer steps) {
        ObjectNode patch = JSON.createObjectNode();
        patch.putObject("train").put("epochs", epochs).put("steps", steps);
        store.put(Keys.extended(run), patch.toString().getBytes(StandardCharsets.UTF_8));
    }

    Optional<Trained> trained(String run) {
        String key = Keys.stage(run, "train");
        if (store.stat(key).isEmpty()) {
            return Optional.empty();
        }
        try {
            JsonNode detail = JSON.readTree(store.read(key)).path("detail");
            return Optional.of(new Trained(
                    new DatasetEncoded(
                            run,
                            detail.path("dataset").asText(),
                            detail.path("model").asText(),
                            detail.path("latents").asText(),
                            detail.path("shards").asInt(),
                            detail.path("pairs").asInt()),
                    detail.path("steps").asLong(),
                    detail.path("epochs").asInt(),
                    detail.path("trainSeconds").asDouble()));
        } catch (IOException e) {
            throw new UncheckedIOException(key + " is not JSON", e);
        }
    }

    /** Notes that a run is trained. */
    Trained trained(DatasetEncoded run, Outcome.Completed outcome, Instant started) {
        Instant ended = Instant.now();
        Map<String, Object> detail = new LinkedHashMap<>();
        detail.put("steps", outcome.step());
        detail.put("epochs", outcome.epochs());
        detail.put("trainSeconds", outcome.seconds());
        detail.put("overheadSeconds", outcome.overheadSeconds());
        detail.put("latency", outcome.latency());
        detail.put("dataset", run.dataset());
        detail.put("model", run.model());
        detail.put("latents", run.latents());
        detail.put("shards", run.shards());
        detail.put("pairs", run.pairs());
        Map<String, Object> stage = new LinkedHashMap<>();
        stage.put("stage", "train");
        stage.put("started", started.toString());
        stage.put("ended", ended.toString());
        stage.put("seconds", Duration.between(started, ended).toMillis() / 1e3);
        stage.put("detail", detail);
        try {
            store.put(Keys.stage(run.run(), "train"), JSON.writeValueAsBytes(stage));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new Trained(run, outcome.step(), outcome.epochs(), outcome.seconds());
    }

    boolean cancelled(String run) {
        return store.stat(Keys.cancelled(run)).isPresent();
    }

    /** Asks whoever works on the run to stop; a run that waits is not begun. */
    void cancel(String run) {
        store.createIfAbsent(Keys.cancelled(run), THERE);
    }

    boolean paused(String run) {
        return store.stat(Keys.paused(run)).isPresent();
    }

    /** Asks whoever works on the run to put it aside until it is resumed; a run that waits is not begun. */
    void pause(String run) {
        store.createIfAbsent(Keys.paused(run), THERE);
    }

    void resume(String run) {
        store.delete(Keys.paused(run));
    }
}
