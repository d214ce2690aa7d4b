package dev.distillery.evaluator;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.LocalCopies;
import dev.distillery.diffusion.evaluate.Gaussian;
import dev.distillery.diffusion.schedule.Sampler;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.evaluator.score.Evaluation;
import dev.distillery.evaluator.score.EvaluationReport;
import dev.distillery.evaluator.score.EvaluationReport.Pictures;
import dev.distillery.evaluator.score.HeldOutImage;
import dev.distillery.evaluator.score.Part;
import dev.distillery.events.EvaluateRequest;
import dev.distillery.events.EvaluationPart;
import dev.distillery.events.Events;
import dev.distillery.events.ModelEvaluated;
import dev.distillery.events.StageMeter;
import dev.distillery.events.Topic;

/**
 * Plans evaluations, and does their parts as they are announced. Instances share an evaluation by the partitions of its parts'
 * events; whoever finds it whole adds it up and announces the scores. What is there is not done again.
 */
public final class Evaluate implements AutoCloseable {
    static final String STAGE = "evaluate";

    private static final ObjectMapper JSON = new ObjectMapper();

    private final ArtifactStore store;
    private final LocalCopies copies;
    private final Events events;
    private final Drawn drawn;
    private final Set<String> programs;
    private LoadedEvaluation loaded; // from one part to the next

    /** Told when a part is done. */
    public interface Drawn {
        void drawn(int images, Duration took);
    }

    /** @param programs SHA-256 of the TorchScript files that may be run */
    public Evaluate(ArtifactStore store, LocalCopies copies, Events events, Drawn drawn, Set<String> programs) {
        this.store = store;
        this.copies = copies;
        this.events = events;
        this.drawn = drawn;
        this.programs = Set.copyOf(programs);
    }

    /**
     * Plans an evaluation and announces its parts, or its scores if they are there.
     *
     * @throws IllegalArgumentException if it cannot be done, or was requested with other settings
     */
    public void request(EvaluateRequest request) throws IOException {
        Plan plan = new Planner(store, programs).plan(request);
        String key = Plan.key(plan.run(), plan.name());
        if (!store.createIfAbsent(key, plan.json()) && !Arrays.equals(store.read(key), plan.json())) {
            throw new IllegalArgumentException("an evaluation '" + plan.name() + "' of run '" + plan.run()
                    + "' was requested with other settings or of other weights: take another name");
        }
        if (isScored(plan)) {
            announce(plan);
            return;
        }
        for (int part = 0; part < plan.parts(); part++) {
            events.publish(
                    Topic.EVALUATION_PARTS,
                    plan.run() + "/" + part,
                    new EvaluationPart(plan.run(), plan.name(), part, plan.parts()));
        }
    }

    /**
     * Does a part unless it is there, and announces the scores if it was the last.
     *
     * @throws IllegalArgumentException if it cannot be done
     */
    public synchronized void part(EvaluationPart part) throws IOException {
        if (store.stat(Keys.cancelled(part.run())).isPresent()) {
            return;
        }
        Plan plan = Plan.read(store, part.run(), part.name());
        if (part.part() >= plan.parts()) {
            throw new IllegalArgumentException(
                    "evaluation '" + plan.name() + "' has " + plan.parts() + " parts, none " + part.part());
        }
        var parts = new EvaluationParts(store, plan.run(), plan.name());
        if (!isScored(plan)) {
            if (!parts.has(part.part())) {
                parts.add(part.part(), done(plan, part.part(), parts));
            }
            if (!parts.areAll(plan.parts())) {
                return; // whoever does the last one goes on
            }
            release();
            store.createIfAbsent(
                    Keys.evaluation(plan.run(), plan.name()),
                    JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(report(plan, parts)));
        }
        announce(plan);
    }

    private boolean isScored(Plan plan) {
        return store.stat(Keys.evaluation(plan.run(), plan.name())).isPresent();
    }

    private Part done(Plan plan, int part, EvaluationParts parts) throws IOException {
        long started = System.nanoTime();
        int from = part * Evaluation.PART_IMAGES;
        int count = Math.min(Evaluation.PART_IMAGES, plan.images() - from);
        List<HeldOutImage> pairs =
                new StoredPairs(store, plan.dataset()).at(plan.positions().subList(from, from + count));
        int before = parts.count() * Evaluation.PART_IMAGES;
        var meter = new StageMeter(
                plan.run(), STAGE, "images", before, event -> events.publish(Topic.RUN_EVENTS, plan.run(), event));
        Evaluation.Evaluated found = loaded(plan).of(pairs, from, done -> meter.at(before + done, plan.images()));
        if (part == 0) {
            store.put(Keys.evaluationGrid(plan.run(), plan.name()), found.grid().png());
        }
        drawn.drawn(count, Duration.ofNanos(System.nanoTime() - started));
        return found.part();
    }

    private Evaluation loaded(Plan plan) throws IOException {
        if (loaded == null || !loaded.isOf(plan)) {
            release();
            loaded = new LoadedEvaluation(plan, store, copies);
        }
        return loaded.evaluation();
    }

    private EvaluationReport report(Plan plan, EvaluationParts parts) throws IOException {
        var protocol = new EvaluationReport.Protocol(
                plan.student(),
                plan.teacher(),
                plan.dataset(),
                null,
                plan.images(),
                Sampler.Type.of(plan.scheduler()).className(),
                plan.steps(),
                plan.guidance(),
                plan.size(),
                plan.scoredSize(),
                plan.seed(),
                plan.clip(),
                plan.realStatistics(),
                Torch.describe());
        return parts.sum(plan.parts()).report(plan.wanted(), real(plan), protocol, plan.digests());
    }

    private Optional<Gaussian> real(Plan plan) throws IOException {
        if (plan.realStatistics() == null) {
            return Optional.empty();
        }
        Path file = Files.createTempFile("real", ".npz");
        try {
            new GivenFiles(store).fetch(plan.realStatistics(), plan.digests().realStatistics(), file);
            return Optional.of(Gaussian.readNpz(file));
        } finally {
            Files.delete(file);
        }
    }

    private void announce(Plan plan) {
        String key = Keys.evaluation(plan.run(), plan.name());
        EvaluationReport report;
        try {
            report = JSON.readValue(store.read(key), EvaluationReport.class);
        } catch (IOException e) {
            throw new UncheckedIOException(key + " is no report: " + e.getMessage(), e);
        }
        Optional<EvaluationReport.Match> match = Optional.ofNullable(report.match());
        Pictures student = report.student();
        var scores = new ModelEvaluated(
                plan.run(),
                plan.name(),
                key,
                plan.images(),
                match.map(EvaluationReport.Match::outputError).orElse(null),
                match.map(EvaluationReport.Match::featureError).orElse(null),
                match.map(EvaluationReport.Match::latentDistance).orElse(null),
                student.clip(),
                student.fid(),
                student.is());
        events.publish(Topic.RUN_EVENTS, plan.run(), scores);
        events.publish(Topic.MODELS_EVALUATED, plan.run(), scores);
    }

    /** They take gigabytes. */
    private void release() {
        if (loaded != null) {
            loaded.close();
            loaded = null;
        }
    }

    @Override
    public synchronized void close() {
        release();
    }
}
