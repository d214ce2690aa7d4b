package dev.distillery.converter.report;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.Manifest;
import dev.distillery.artifacts.Manifests;
import dev.distillery.artifacts.ObjectInfo;
import dev.distillery.events.TrainRequest;

/** Reads what the store holds of a run. */
public final class RunReader {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int MOST_EPOCHS = 6;

    private final ArtifactStore store;
    private final String run;

    public RunReader(ArtifactStore store, String run) {
        this.store = store;
        this.run = run;
    }

    /** Which of the samples' folders are wanted, of those that the student drew. */
    public interface Choice {
        List<String> of(List<String> folders, List<JsonNode> metrics);
    }

    /** @param model prefix of the converted student, whose configuration must be there */
    public RunRecord read(String model, Choice choice) {
        Map<String, JsonNode> stages = stages();
        JsonNode train =
                Optional.ofNullable(stages.get("train")).orElse(JSON.nullNode()).path("detail");
        List<JsonNode> metrics = metrics();
        String teacher = Keys.model(train.path("model").asText());
        return new RunRecord(
                run,
                request(),
                stages,
                metrics,
                Manifests.find(store, Keys.dataset(train.path("dataset").asText()))
                        .map(manifest -> JSON.valueToTree(manifest.about())),
                teacher,
                (ObjectNode) json(teacher + "unet/config.json"),
                (ObjectNode) json(model + "unet/config.json"),
                1
                        << Math.max(
                                0,
                                json(teacher + "vae/config.json")
                                                .path("block_out_channels")
                                                .size()
                                        - 1),
                samples(folders -> choice.of(folders, metrics)),
                Manifests.find(store, model).stream()
                        .flatMap(manifest -> manifest.files().stream())
                        .mapToLong(Manifest.FileEntry::size)
                        .sum(),
                scores());
    }

    private List<Scores> scores() {
        String prefix = Keys.evaluations(run);
        List<Scores> scores = new ArrayList<>();
        for (ObjectInfo object : store.list(prefix)) {
            String file = object.key().substring(prefix.length());
            if (file.matches("[^/]+\\.json")) {
                String name = file.substring(0, file.length() - ".json".length());
                String grid = Keys.evaluationGrid(run, name);
                scores.add(Scores.of(name, json(object.key()), store.stat(grid).map(there -> store.read(grid))));
            }
        }
        scores.sort(Comparator.comparing(Scores::name));
        return scores;
    }

    /** With the length that the run was extended to. */
    private JsonNode request() {
        String extended = Keys.extended(run);
        return store.stat(extended).isEmpty()
                ? json(Keys.request(run))
                : parse(
                        extended,
                        TrainRequest.parse(store.read(Keys.request(run)))
                                .patched(store.read(extended))
                                .canonicalJson());
    }

    private Map<String, JsonNode> stages() {
        List<JsonNode> stages = new ArrayList<>();
        for (ObjectInfo object : store.list(Keys.stages(run))) {
            stages.add(json(object.key()));
        }
        stages.sort(Comparator.comparing(stage -> stage.path("started").asText()));
        Map<String, JsonNode> byName = new LinkedHashMap<>();
        stages.forEach(stage -> byName.put(stage.path("stage").asText(), stage));
        return byName;
    }

    private List<JsonNode> metrics() {
        return new String(store.read(Keys.metrics(run)), StandardCharsets.UTF_8)
                .lines()
                .map(line -> parse(Keys.metrics(run), line.getBytes(StandardCharsets.UTF_8)))
                .toList();
    }

    /** The teacher's samples and those that are wanted. */
    private NavigableMap<String, NavigableMap<Integer, byte[]>> samples(UnaryOperator<List<String>> choice) {
        NavigableMap<String, NavigableMap<Integer, String>> keys = new TreeMap<>();
        for (ObjectInfo object : store.list(Keys.samples(run))) {
            String[] path = object.key().substring(Keys.samples(run).length()).split("/");
            if (path.length == 2 && path[1].matches("\\d+\\.png")) {
                keys.computeIfAbsent(path[0], folder -> new TreeMap<>())
                        .put(Integer.valueOf(path[1].replace(".png", "")), object.key());
            }
        }
        List<String> epochs = keys.keySet().stream()
                .filter(folder -> !folder.equals(SampleGrid.TEACHER))
                .toList();
        List<String> wanted = choice.apply(epochs);
        NavigableMap<String, NavigableMap<Integer, byte[]>> samples = new TreeMap<>();
        keys.forEach((folder, images) -> {
            if (folder.equals(SampleGrid.TEACHER) || wanted.contains(folder)) {
                images.forEach((index, key) ->
                        samples.computeIfAbsent(folder, f -> new TreeMap<>()).put(index, store.read(key)));
            }
        });
        return samples;
    }

    /** The first, the last and some between: a run of many epochs would make a page of hundreds of images. */
    static List<String> spread(List<String> all) {
        if (all.size() <= MOST_EPOCHS) {
            return all;
        }
        List<String> some = new ArrayList<>();
        for (int i = 0; i < MOST_EPOCHS; i++) {
            some.add(all.get(i * (all.size() - 1) / (MOST_EPOCHS - 1)));
        }
        return some;
    }

    private JsonNode json(String key) {
        return parse(key, store.read(key));
    }

    private static JsonNode parse(String key, byte[] json) {
        try {
            return JSON.readTree(json);
        } catch (IOException e) {
            throw new UncheckedIOException(key + " is not JSON", e);
        }
    }
}
