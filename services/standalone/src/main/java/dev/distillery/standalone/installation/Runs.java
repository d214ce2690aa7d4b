package dev.distillery.standalone.installation;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.Lease;
import dev.distillery.artifacts.ObjectInfo;
import dev.distillery.events.RunFailed;
import dev.distillery.events.RunRejected;
import dev.distillery.standalone.console.UserException;

/** What store and events tell of the runs of an installation. */
final class Runs {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> STAGES = List.of("ingest", "encode", "train", "convert");
    /** Holds the last lines of {@code metrics.jsonl}. */
    private static final long TAIL_BYTES = 16_384;

    private final ArtifactStore store;
    private final String bucket;
    private final Optional<Broker> broker;

    /** @param broker empty: failures and live progress are not known */
    Runs(ArtifactStore store, String bucket, Optional<Broker> broker) {
        this.store = store;
        this.bucket = bucket;
        this.broker = broker;
    }

    /** The last changed first. */
    List<RunStatus> all() {
        Map<String, RunObjects> runs = RunObjects.all(store);
        Set<String> queued =
                store.list(Keys.queue()).stream().map(ObjectInfo::key).collect(Collectors.toSet());
        Map<String, RunState> states = new LinkedHashMap<>();
        runs.forEach((name, run) -> states.put(name, state(run, queued.contains(Keys.queue(name)))));
        List<String> going =
                runs.keySet().stream().filter(name -> states.get(name).goesOn()).toList();
        Map<String, EventTail.Last> last =
                broker.map(kafka -> EventTail.of(kafka, going)).orElse(Map.of());
        return runs.values().stream()
                .map(run -> status(run, states.get(run.run()), Optional.ofNullable(last.get(run.run()))))
                .sorted(Comparator.comparing(RunStatus::lastChange).reversed())
                .toList();
    }

    /** @throws UserException if neither knows it */
    RunDetails one(String name) {
        Optional<EventTail.Last> last = broker.flatMap(kafka -> EventTail.of(kafka, name));
        Optional<RunObjects> found = RunObjects.find(store, name);
        if (found.isEmpty()) {
            return rejected(name, last);
        }
        RunObjects run = found.get();
        RunState state = state(run, store.stat(Keys.queue(name)).isPresent());
        RunStatus status = status(run, state, last);
        return new RunDetails(
                status,
                metrics(run).orElse(null),
                stages(run),
                places(run),
                status.state() == RunState.FAILED
                        ? last.map(l -> failure((RunFailed) l.event().event())).orElseThrow()
                        : null,
                null);
    }

    private static RunDetails rejected(String name, Optional<EventTail.Last> last) {
        if (last.isPresent() && last.get().event().event() instanceof RunRejected e) {
            return new RunDetails(
                    RunStatus.of(name, RunState.REJECTED, last, Optional.empty()),
                    null,
                    List.of(),
                    Map.of(),
                    null,
                    e.violations());
        }
        throw UserException.badInput(
                "There is no run '" + name + "' in the store: 'distillery runs' lists those that were accepted.");
    }

    private RunState state(RunObjects run, boolean queued) {
        return RunState.of(run, queued, queued && Lease.isHeld(store, run.run()));
    }

    private static RunStatus status(RunObjects run, RunState state, Optional<EventTail.Last> last) {
        RunState told = last.map(l -> state.and(l.event().event())).orElse(state);
        return RunStatus.of(run.run(), told, last, Optional.of(run.lastChange()));
    }

    private static RunDetails.Failure failure(RunFailed e) {
        return new RunDetails.Failure(e.stage(), e.reason(), e.advice());
    }

    private List<RunDetails.Stage> stages(RunObjects run) {
        return STAGES.stream()
                .map(stage -> Keys.stage(run.run(), stage))
                .filter(key -> run.find(key).isPresent())
                .map(key -> json(key, store.read(key)))
                .map(note -> new RunDetails.Stage(
                        note.path("stage").asText(),
                        note.path("started").asText(),
                        note.path("ended").asText(),
                        note.path("seconds").asDouble(),
                        note.path("detail")))
                .toList();
    }

    /** Of the last step that was logged with its losses; a line that is cut in two is none. */
    private Optional<JsonNode> metrics(RunObjects run) {
        return run.find(Keys.metrics(run.run())).filter(file -> file.size() > 0).flatMap(file -> tail(file)
                .map(Runs::line)
                .flatMap(Optional::stream)
                .filter(line -> line.has("loss"))
                .reduce((earlier, later) -> later));
    }

    private Stream<String> tail(ObjectInfo file) {
        long from = Math.max(0, file.size() - TAIL_BYTES);
        try (InputStream in = store.open(file.key(), from, file.size() - from)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines();
        } catch (IOException e) {
            throw new UncheckedIOException(file.key() + " cannot be read", e);
        }
    }

    private static Optional<JsonNode> line(String text) {
        try {
            return Optional.ofNullable(JSON.readTree(text)).filter(JsonNode::isObject);
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private Map<String, String> places(RunObjects run) {
        String name = run.run();
        Map<String, String> places = new LinkedHashMap<>();
        put(places, "report", run.find(Keys.report(name)).map(ObjectInfo::key));
        put(places, "model", run.find(Keys.manifest(Keys.runModel(name))).map(there -> Keys.runModel(name)));
        put(
                places,
                "samples",
                run.below(Keys.samples(name)).stream().findFirst().map(there -> Keys.samples(name)));
        put(
                places,
                "scores",
                run.below(Keys.evaluations(name)).stream().findFirst().map(there -> Keys.evaluations(name)));
        put(places, "checkpoint", run.newestCheckpoint());
        put(places, "metrics", run.find(Keys.metrics(name)).map(ObjectInfo::key));
        put(places, "request", Optional.of(Keys.request(name)));
        return places;
    }

    private void put(Map<String, String> places, String what, Optional<String> key) {
        key.ifPresent(there -> places.put(what, "s3://" + bucket + "/" + there));
    }

    private static JsonNode json(String key, byte[] content) {
        try {
            return JSON.readTree(content);
        } catch (IOException e) {
            throw new UncheckedIOException(key + " is not JSON", e);
        }
    }
}
