package dev.distillery.evaluator;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.SortedMap;

import dev.distillery.artifacts.ArtifactCorruptException;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Folders;
import dev.distillery.artifacts.LocalCopies;
import dev.distillery.artifacts.Manifest;
import dev.distillery.artifacts.Manifests;
import dev.distillery.evaluator.score.Evaluation;

/** The networks of a plan, copied from the store and loaded. Closing frees memory and disk. */
final class LoadedEvaluation implements AutoCloseable {
    private final Plan plan;
    private final Path folder;
    private final Evaluation evaluation;

    /**
     * @throws ArtifactCorruptException if something is not what it was when the evaluation was planned
     * @throws IllegalArgumentException naming what cannot be loaded
     */
    LoadedEvaluation(Plan plan, ArtifactStore store, LocalCopies copies) throws IOException {
        this.plan = plan;
        folder = Files.createTempDirectory("evaluate");
        try {
            evaluation = new Evaluation(settings(store, copies));
        } catch (IOException | RuntimeException e) {
            Folders.delete(folder);
            throw e;
        }
    }

    private Evaluation.Settings settings(ArtifactStore store, LocalCopies copies) throws IOException {
        Path teacher = Files.createDirectory(folder.resolve("teacher"));
        requireSame(
                plan.teacher(),
                Planner.digests(Manifests.require(store, plan.teacher()), ""),
                plan.digests().teacher());
        copies.fetch(plan.teacher(), name -> true, teacher);
        Path student = Files.createDirectory(folder.resolve("student"));
        Manifest model = Manifests.require(store, plan.student());
        requireSame(
                plan.student(), Planner.studentDigests(model), plan.digests().student());
        copies.fetch(
                plan.student(),
                name -> name.startsWith(Planner.UNET) || Manifests.isOfTrainedTextEncoder(model, name),
                student);
        var given = new GivenFiles(store);
        Path clip = folder.resolve("clip");
        if (plan.clip() != null) {
            given.fetch(plan.clip(), plan.digests().clip(), clip);
        }
        Path inception = folder.resolve("inception.pt");
        if (plan.inception() != null) {
            given.fetch(plan.inception(), plan.digests().inception(), inception);
        }
        return new Evaluation.Settings(
                teacher,
                student.resolve(Planner.UNET),
                Files.isDirectory(student.resolve("text_encoder")) ? Optional.of(student) : Optional.empty(),
                plan.wanted(),
                plan.size(),
                plan.scoredSize(),
                plan.scheduler(),
                plan.steps(),
                plan.guidance(),
                plan.seed(),
                plan.clip() == null ? Optional.empty() : Optional.of(clip),
                plan.inception() == null
                        ? Optional.empty()
                        : Optional.of(new Evaluation.InceptionFile(
                                inception, plan.digests().inception())));
    }

    private void requireSame(String prefix, SortedMap<String, String> digests, SortedMap<String, String> planned) {
        if (!digests.equals(planned)) {
            throw new ArtifactCorruptException(prefix + " is not what it was when evaluation '" + plan.name()
                    + "' was planned: request another by another name");
        }
    }

    boolean isOf(Plan other) {
        return plan.equals(other);
    }

    Evaluation evaluation() {
        return evaluation;
    }

    @Override
    public void close() {
        evaluation.close();
        Folders.delete(folder);
    }
}
