package dev.distillery.standalone.installation;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.ObjectInfo;
import dev.distillery.events.TrainRequest;

/**
 * What the store holds of a run, told from its keys alone: many runs cost one listing.
 *
 * @param objects by key
 */
record RunObjects(String run, NavigableMap<String, ObjectInfo> objects) {
    private static final String RUNS = "runs/";

    /** Of all runs that were accepted, by name. */
    static Map<String, RunObjects> all(ArtifactStore store) {
        return byRun(store.list(RUNS));
    }

    static Optional<RunObjects> find(ArtifactStore store, String run) {
        return Optional.ofNullable(byRun(store.list(Keys.run(run))).get(run));
    }

    private static Map<String, RunObjects> byRun(List<ObjectInfo> all) {
        Map<String, RunObjects> runs = new TreeMap<>();
        for (ObjectInfo object : all) {
            int end = object.key().indexOf('/', RUNS.length());
            if (end > 0) {
                String run = object.key().substring(RUNS.length(), end);
                runs.computeIfAbsent(run, name -> new RunObjects(name, new TreeMap<>()))
                        .objects
                        .put(object.key(), object);
            }
        }
        runs.values().removeIf(run -> !TrainRequest.isRunName(run.run) || !run.has(Keys.request(run.run)));
        return runs;
    }

    private boolean has(String key) {
        return objects.containsKey(key);
    }

    Optional<ObjectInfo> find(String key) {
        return Optional.ofNullable(objects.get(key));
    }

    boolean isIngested() {
        return has(Keys.stage(run, "ingest"));
    }

    boolean isEncoded() {
        return has(Keys.stage(run, "encode"));
    }

    boolean isTrained() {
        return has(Keys.stage(run, "train"));
    }

    /** False when it was trained on since: a run that was extended is converted again. */
    boolean isConverted() {
        return isAfter(Keys.stage(run, "convert"), Keys.stage(run, "train"));
    }

    /** Whether it has the page that is written last, when the student is scored if that was asked for. */
    boolean isReported() {
        return isConverted() && isAfter(Keys.report(run), Keys.stage(run, "convert"));
    }

    private boolean isAfter(String key, String earlier) {
        return find(key)
                .filter(done -> !done.modified().isBefore(objects.get(earlier).modified()))
                .isPresent();
    }

    boolean isCancelled() {
        return has(Keys.cancelled(run));
    }

    boolean isPaused() {
        return has(Keys.paused(run));
    }

    Instant lastChange() {
        return objects.values().stream()
                .map(ObjectInfo::modified)
                .max(Instant::compareTo)
                .orElseThrow();
    }

    /** The prefix of the newest that is complete. */
    Optional<String> newestCheckpoint() {
        return below(Keys.checkpoints(run)).stream()
                .filter(key -> key.endsWith("/manifest.json"))
                .reduce((older, newer) -> newer)
                .map(key -> key.substring(0, key.lastIndexOf('/') + 1));
    }

    /** Keys in their order. */
    List<String> below(String prefix) {
        return objects.tailMap(prefix).keySet().stream()
                .takeWhile(key -> key.startsWith(prefix))
                .toList();
    }
}
