package dev.distillery.dataingest;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

import dev.distillery.artifacts.Digest;
import dev.distillery.dataingest.shard.DatasetIngest;
import dev.distillery.dataingest.source.FileTree;
import dev.distillery.dataingest.teacher.TeacherFiles;
import dev.distillery.events.InvalidRequestException;
import dev.distillery.events.TrainRequest;
import dev.distillery.planning.MemoryCheck.DeviceMemory;

/** A request whose teacher and data set were found and fit together. */
record CheckedRequest(
        TrainRequest request,
        TeacherFiles teacher,
        FileTree dataset,
        Optional<FileTree> validation,
        List<DatasetIngest.Part> parts) {
    private static final String FORMAT = "dataset 2";

    /** @throws InvalidRequestException with every violation */
    static CheckedRequest of(TrainRequest request, Sources sources, Optional<DeviceMemory> device) throws IOException {
        Findings found = Findings.of(request, sources, device);
        if (!found.violations().isEmpty()) {
            throw new InvalidRequestException(found.violations());
        }
        Integer limit = request.dataset().limit();
        TrainRequest.Filter filter = request.dataset().filter();
        List<DatasetIngest.Part> parts = new ArrayList<>();
        parts.add(new DatasetIngest.Part(
                found.pairs().orElseThrow(), filter, limit == null ? Long.MAX_VALUE : limit, false));
        found.validationPairs()
                .ifPresent(held -> parts.add(new DatasetIngest.Part(held, filter, Long.MAX_VALUE, true)));
        return new CheckedRequest(
                request, found.teacher().orElseThrow(), found.dataset().orElseThrow(), found.validation(), parts);
    }

    /** Digest of every file of the source and of how it is read. */
    String datasetFingerprint() throws IOException {
        TrainRequest.Dataset how = request.dataset();
        var digest = new Digest()
                .add(FORMAT)
                .add(how.image())
                .add(how.captions())
                .add(how.filter())
                .add(how.limit());
        if (request.teachesSubject()) {
            digest.add("subject").add(request.subject().prompt());
        }
        add(digest, dataset);
        if (validation.isPresent()) {
            add(digest.add("validation"), validation.get());
        }
        return digest.hex();
    }

    private static void add(Digest digest, FileTree tree) throws IOException {
        for (FileTree.Entry file : tree.files()) {
            digest.add(file.name()).add(tree.digest(file.name()));
        }
    }
}
