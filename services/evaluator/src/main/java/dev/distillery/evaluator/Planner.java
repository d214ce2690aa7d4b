package dev.distillery.evaluator;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.artifacts.ArtifactMissingException;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.HeldOutPairs;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.Manifest;
import dev.distillery.artifacts.Manifests;
import dev.distillery.diffusion.schedule.Sampler;
import dev.distillery.evaluator.score.Digests;
import dev.distillery.evaluator.score.Score;
import dev.distillery.events.EvaluateRequest;
import dev.distillery.events.TrainRequest;

/** Settles how an evaluation is done, from its request and what the store has of the run. */
final class Planner {
    private static final ObjectMapper JSON = new ObjectMapper();
    static final String UNET = "unet/";

    private final ArtifactStore store;
    private final GivenFiles given;
    private final Set<String> programs;

    /** @param programs SHA-256 of those that may be run */
    Planner(ArtifactStore store, Set<String> programs) {
        this.store = store;
        this.programs = programs;
        this.given = new GivenFiles(store);
    }

    /**
     * The plan of a request.
     *
     * @throws ArtifactMissingException if the run has no converted student
     * @throws IllegalArgumentException naming what of the request cannot be done
     */
    Plan plan(EvaluateRequest request) throws IOException {
        String run = request.run();
        TrainRequest.Evaluate wanted = request.evaluate();
        TrainRequest train = TrainRequest.parse(store.read(Keys.request(run)));
        String student = Keys.runModel(run);
        Manifest studentFiles = Manifests.require(store, student);
        JsonNode trained = json(Keys.stage(run, "train")).path("detail");
        String teacher = Keys.model(trained.path("model").asText());
        String dataset = Keys.dataset(trained.path("dataset").asText());
        Set<Score> scores = Score.of(wanted.scores());
        List<Long> heldOut = HeldOutPairs.read(store, run).positions();
        int images = Math.min(wanted.images(), heldOut.size());
        List<Long> positions = heldOut.stream().limit(images).sorted().toList();
        int fewest = Score.fewestImages(scores);
        if (images < fewest) {
            throw new IllegalArgumentException("the scores " + scores + " need " + fewest
                    + " images or more but there are " + images + ": 'evaluate.images' is " + wanted.images()
                    + ", and " + heldOut.size() + " pairs of the run's data are held out ('dataset.validation')");
        }
        int size = wanted.size() != null ? wanted.size() : train.encode().resolution();
        Optional<String> clip = key("clip", scores.contains(Score.CLIP) ? wanted.clip() : null)
                .map(prefix -> prefix.endsWith("/") ? prefix : prefix + "/");
        boolean looks = scores.contains(Score.FID) || scores.contains(Score.IS);
        Optional<String> inception = key("inception", looks ? wanted.inception() : null);
        Optional<String> real = key("realStatistics", scores.contains(Score.FID) ? wanted.realStatistics() : null);
        if (looks && !programs.contains(wanted.inceptionSha256())) {
            throw new IllegalArgumentException("'evaluate.inceptionSha256' " + wanted.inceptionSha256()
                    + " is not of a program that this installation runs: its operator allows them in"
                    + " distillery.evaluator.programs");
        }
        var digests = new Digests(
                new StoredPairs(store, dataset).digest(positions),
                studentDigests(studentFiles),
                digests(Manifests.require(store, teacher), ""),
                clip.isPresent() ? given.digests(clip.get()) : null,
                looks ? wanted.inceptionSha256() : null,
                real.isPresent() ? given.digest(real.get()) : null);
        if (!digests.student().containsKey("config.json")) {
            throw new IllegalArgumentException(
                    student + " has no " + UNET + ": 'convert.save' must name unet or pipeline");
        }
        return new Plan(
                run,
                request.name(),
                student,
                teacher,
                dataset,
                positions,
                scores.stream().map(Score::toString).toList(),
                scheduler(teacher, wanted.scheduler()),
                wanted.steps(),
                wanted.guidance(),
                size,
                wanted.scoredSize() != null ? wanted.scoredSize() : Math.min(256, size),
                wanted.seed(),
                clip.orElse(null),
                inception.orElse(null),
                real.orElse(null),
                digests);
    }

    /** Of a U-Net's files, and of the text encoders' that were trained with it. */
    static SortedMap<String, String> studentDigests(Manifest manifest) {
        SortedMap<String, String> digests = digests(manifest, UNET);
        digests(manifest, "").forEach((name, sha256) -> {
            if (Manifests.isOfTrainedTextEncoder(manifest, name)) {
                digests.put(name, sha256);
            }
        });
        return digests;
    }

    /** Of the files below a folder of a prefix. */
    static SortedMap<String, String> digests(Manifest manifest, String folder) {
        var digests = new TreeMap<String, String>();
        for (Manifest.FileEntry file : manifest.files()) {
            if (file.name().startsWith(folder)) {
                digests.put(file.name().substring(folder.length()), file.sha256());
            }
        }
        return digests;
    }

    private ObjectNode scheduler(String teacher, String name) {
        JsonNode own = json(teacher + "scheduler/scheduler_config.json");
        return name == null ? own.deepCopy() : Sampler.Type.named(name).from(own);
    }

    private Optional<String> key(String field, String uri) {
        return Optional.ofNullable(uri).map(there -> given.key("evaluate." + field, there));
    }

    private JsonNode json(String key) {
        try {
            return JSON.readTree(store.read(key));
        } catch (IOException e) {
            throw new UncheckedIOException(key + " is not JSON", e);
        }
    }
}
