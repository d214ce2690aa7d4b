package dev.distillery.converter;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

import jakarta.enterprise.context.ApplicationScoped;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.artifacts.ArtifactMissingException;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.LocalCopies;
import dev.distillery.converter.report.Report;
import dev.distillery.events.CheckpointSaved;
import dev.distillery.events.ConvertRequest;
import dev.distillery.events.EvaluateRequest;
import dev.distillery.events.Excerpt;
import dev.distillery.events.ModelConverted;
import dev.distillery.events.RunCompleted;
import dev.distillery.events.TrainRequest;

/** What the converter does about an event. Doing it again gives the same answer from what is there. */
@ApplicationScoped
class Converter {

    private static final ObjectMapper JSON = new ObjectMapper();
    static final String STAGE = "convert";

    private final ArtifactStore store;
    private final StoredModels models;
    private final Report report;
    private final Checkpoints checkpoints;

    Converter(ArtifactStore store, LocalCopies copies) {
        this.store = store;
        this.models = new StoredModels(store, copies);
        this.report = new Report(store);
        this.checkpoints = new Checkpoints(store);
    }

    /** Converts a run's last checkpoint into {@code runs/<run>/model/}. */
    ModelConverted convertLast(CheckpointSaved last) {
        Instant started = Instant.now();
        String run = last.run();
        TrainRequest.Convert convert = request(run).convert();
        ModelConverted model = models.convert(
                source(run, last.step(), convert.weights()),
                options(convert.save(), convert.dtype(), convert.variant(), convert.maxShardSize()),
                Keys.runModel(run));
        note(model, started);
        return model;
    }

    /** Whether the run is complete only when its student is scored, which it is not yet. */
    boolean awaitsScores(CheckpointSaved last) {
        return request(last.run()).evaluate().images() > 0
                && store.stat(Keys.evaluation(last.run(), EvaluateRequest.nameOf(last.step())))
                        .isEmpty();
    }

    /** Shows new scores on the model's card. */
    void rewriteCard(String run) {
        models.rewriteCard(Keys.runModel(run));
    }

    /** Writes the run's page; the model must be there. */
    RunCompleted complete(String run) {
        return new RunCompleted(run, Keys.runModel(run), report.write(run));
    }

    /**
     * Converts any checkpoint into a place of its own.
     *
     * @throws ArtifactMissingException when there is no such complete checkpoint
     */
    ModelConverted convert(ConvertRequest request) {
        String run = request.run();
        long step = request.step() != null ? request.step() : checkpoints.newest(run);
        TrainRequest.Convert ofRun = request(run).convert();
        String dtype = Objects.requireNonNullElse(request.dtype(), ofRun.dtype());
        String weights = Objects.requireNonNullElse(request.weights(), ofRun.weights());
        Options options = options(
                Objects.requireNonNullElse(request.save(), List.of()),
                dtype,
                request.variant(),
                Objects.requireNonNullElse(request.maxShardSize(), ofRun.maxShardSize()));
        String place = (weights.equals("raw") ? dtype : weights + "-" + dtype)
                + options.variant().map(variant -> "-" + variant).orElse("");
        return models.convert(source(run, step, weights), options, Keys.converted(run, step, place));
    }

    private static Options options(List<String> save, String dtype, String variant, String maxShardSize) {
        return new Options(Set.copyOf(save), dtype, Optional.ofNullable(variant), maxShardSize);
    }

    private StoredModels.Source source(String run, long step, String weights) {
        if (!List.of("raw", "ema").contains(weights)) {
            throw new IllegalArgumentException(
                    "'weights' must be one of raw, ema but was '" + Excerpt.of(weights) + "'");
        }
        TrainRequest request = request(run);
        return new StoredModels.Source(
                run,
                step,
                weights,
                Keys.model(stage(run, "train").at("/detail/model").asText()),
                request.student().layout(),
                request.encode().resolution());
    }

    private JsonNode stage(String run, String stage) {
        String key = Keys.stage(run, stage);
        try {
            return JSON.readTree(store.read(key));
        } catch (IOException e) {
            throw new UncheckedIOException(key + " is not JSON", e);
        }
    }

    private TrainRequest request(String run) {
        return TrainRequest.parse(store.read(Keys.request(run)));
    }

    /** Keeps the first note of a step: a repeated event finds the work done and would say that it took no time. */
    private void note(ModelConverted model, Instant started) {
        String key = Keys.stage(model.run(), STAGE);
        if (store.stat(key).isPresent()
                && stage(model.run(), STAGE).at("/detail/step").asLong() == model.step()) {
            return;
        }
        Instant ended = Instant.now();
        Map<String, Object> stage = new LinkedHashMap<>();
        stage.put("stage", STAGE);
        stage.put("started", started.toString());
        stage.put("ended", ended.toString());
        stage.put("seconds", Duration.between(started, ended).toMillis() / 1e3);
        stage.put("detail", Map.of("dtype", model.dtype(), "step", model.step(), "parameters", model.parameters()));
        try {
            store.put(key, JSON.writeValueAsBytes(stage));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
