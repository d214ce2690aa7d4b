package dev.distillery.dataingest;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

import dev.distillery.dataingest.source.Digest;
import dev.distillery.dataingest.source.FileTree;
import dev.distillery.dataingest.source.PairSource;
import dev.distillery.dataingest.source.PairSources;
import dev.distillery.dataingest.source.SourceException;
import dev.distillery.dataingest.source.Sources;
import dev.distillery.dataingest.teacher.TeacherFiles;
import dev.distillery.events.InvalidRequestException;
import dev.distillery.events.TrainRequest;
import dev.distillery.events.Violation;

/** A request whose teacher and data set were found and fit together. */
record CheckedRequest(TrainRequest request, TeacherFiles teacher, FileTree dataset, PairSource pairs) {
    private static final String FORMAT = "dataset 1";

    /**
     * Looks at everything before saying what is wrong.
     *
     * @throws InvalidRequestException with every violation
     */
    static CheckedRequest of(TrainRequest request, Sources sources) throws IOException {
        List<Violation> violations = new ArrayList<>();
        List<SourceException> problems = new ArrayList<>();
        FileTree model = open(sources, "teacher.model", request.teacher().model(), problems);
        FileTree vae = request.teacher().vae() == null
                ? null
                : open(sources, "teacher.vae", request.teacher().vae(), problems);
        boolean bothFound = model != null && (vae != null || request.teacher().vae() == null);
        TeacherFiles teacher = bothFound ? TeacherFiles.find(model, vae, problems) : null;
        FileTree dataset = open(sources, "dataset.source", request.dataset().source(), problems);
        PairSource pairs = dataset == null ? null : pairs(dataset, request.dataset(), problems);
        problems.forEach(p -> violations.add(new Violation(p.field(), value(request, p.field()), p.getMessage())));
        if (teacher != null) {
            violations.addAll(TeacherFit.violations(request, teacher));
        }
        if (!violations.isEmpty()) {
            throw new InvalidRequestException(violations);
        }
        return new CheckedRequest(request, teacher, dataset, pairs);
    }

    private static FileTree open(Sources sources, String field, String uri, List<SourceException> problems)
            throws IOException {
        try {
            return sources.open(field, uri);
        } catch (SourceException e) {
            problems.add(e);
            return null;
        }
    }

    private static PairSource pairs(FileTree tree, TrainRequest.Dataset dataset, List<SourceException> problems)
            throws IOException {
        try {
            return PairSources.open(tree, dataset.image(), dataset.caption());
        } catch (SourceException e) {
            problems.add(e);
            return null;
        }
    }

    private static String value(TrainRequest request, String field) {
        return switch (field) {
            case "teacher.model" -> request.teacher().model();
            case "teacher.vae" -> request.teacher().vae();
            case "dataset.image" -> request.dataset().image();
            case "dataset.caption" -> request.dataset().caption();
            default -> request.dataset().source();
        };
    }

    /** At most so many pairs. */
    long limit() {
        Integer limit = request.dataset().limit();
        return limit == null ? Long.MAX_VALUE : limit;
    }

    /** Digest of every file of the source and of how it is read. */
    String datasetFingerprint() throws IOException {
        TrainRequest.Dataset how = request.dataset();
        var digest =
                new Digest().add(FORMAT).add(how.image()).add(how.caption()).add(how.limit());
        for (FileTree.Entry file : dataset.files()) {
            digest.add(file.name()).add(dataset.digest(file.name()));
        }
        return digest.hex();
    }
}
