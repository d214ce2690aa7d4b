package dev.distillery.dataingest;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

import dev.distillery.dataingest.source.FileTree;
import dev.distillery.dataingest.source.PairSource;
import dev.distillery.dataingest.source.SourceException;
import dev.distillery.dataingest.teacher.SingleFileTree;
import dev.distillery.dataingest.teacher.TeacherFiles;
import dev.distillery.events.TrainRequest;
import dev.distillery.events.Violation;
import dev.distillery.planning.MemoryCheck.DeviceMemory;

/**
 * What a look at everything that a request names has found. Nothing is read but lists, schemas and configurations.
 *
 * @param teacher empty if it is not whole, or was not looked at
 * @param dataset empty likewise
 * @param pairs of the data set
 * @param validation the data set that is held out, if the request names one
 * @param validationPairs of it
 * @param violations why the request cannot be done
 */
public record Findings(
        Optional<TeacherFiles> teacher,
        Optional<FileTree> dataset,
        Optional<PairSource> pairs,
        Optional<FileTree> validation,
        Optional<PairSource> validationPairs,
        List<Violation> violations) {

    /**
     * Looks at everything before saying what is wrong.
     *
     * @param sources what these cannot reach is not looked at
     * @param device that trains, if its memory is known
     */
    public static Findings of(TrainRequest request, Sources sources, Optional<DeviceMemory> device) throws IOException {
        List<SourceException> problems = new ArrayList<>();
        String otherVae = request.teacher().vae();
        Optional<FileTree> model = model(
                sources,
                "teacher.model",
                request.teacher().model(),
                (uri, tree) -> SingleFileTree.of("teacher.model", uri, tree, otherVae != null),
                problems);
        Optional<FileTree> vae = otherVae == null
                ? Optional.empty()
                : model(
                        sources,
                        "teacher.vae",
                        otherVae,
                        (uri, tree) -> SingleFileTree.vae("teacher.vae", uri, tree, model),
                        problems);
        Optional<TeacherFiles> teacher = Optional.empty();
        if (model.isPresent() && (otherVae == null || vae.isPresent())) {
            teacher = Optional.ofNullable(TeacherFiles.find(model.get(), vae.orElse(null), problems));
        }
        TrainRequest.Dataset asked = request.dataset();
        Optional<FileTree> dataset = open(sources, request.sourceField(), request.source(), problems);
        Optional<FileTree> validation = asked.validationSource().isEmpty()
                ? Optional.empty()
                : open(sources, "dataset.validation", asked.validationSource().get(), problems);
        Optional<PairSource> pairs = pairs(sources, dataset, request, problems);
        Optional<PairSource> validationPairs = pairs(sources, validation, request, problems);
        List<Violation> violations = new ArrayList<>();
        problems.forEach(p -> violations.add(new Violation(p.field(), value(request, p.field()), p.getMessage())));
        teacher.ifPresent(whole -> violations.addAll(TeacherFit.violations(request, whole, device)));
        return new Findings(teacher, dataset, pairs, validation, validationPairs, violations);
    }

    /** Sees a file of a folder as a folder of its own. */
    private interface AsFolder {
        FileTree of(String uri, FileTree folder) throws IOException;
    }

    /** A folder, or a file seen as one. */
    private static Optional<FileTree> model(
            Sources sources, String field, String uri, AsFolder single, List<SourceException> problems)
            throws IOException {
        if (!SingleFileTree.isOne(uri)) {
            return open(sources, field, uri, problems);
        }
        Optional<FileTree> folder = open(sources, field, SingleFileTree.folder(uri), problems);
        try {
            return folder.isEmpty() ? Optional.empty() : Optional.of(single.of(uri, folder.get()));
        } catch (SourceException e) {
            problems.add(e);
            return Optional.empty();
        }
    }

    private static Optional<FileTree> open(Sources sources, String field, String uri, List<SourceException> problems)
            throws IOException {
        try {
            return sources.reaches(uri) ? Optional.of(sources.open(field, uri)) : Optional.empty();
        } catch (SourceException e) {
            problems.add(e);
            return Optional.empty();
        }
    }

    private static Optional<PairSource> pairs(
            Sources sources, Optional<FileTree> tree, TrainRequest request, List<SourceException> problems)
            throws IOException {
        if (tree.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(sources.pairs(tree.get(), request));
        } catch (SourceException e) {
            problems.add(e);
            return Optional.empty();
        }
    }

    private static String value(TrainRequest request, String field) {
        return switch (field) {
            case "teacher.model" -> request.teacher().model();
            case "teacher.vae" -> request.teacher().vae();
            case "dataset.image" -> request.dataset().image();
            case "dataset.caption" -> request.dataset().caption().toString();
            case "dataset.validation" -> request.dataset().validationSource().orElse("");
            default -> request.source();
        };
    }
}
