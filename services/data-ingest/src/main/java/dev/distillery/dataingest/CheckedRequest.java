package dev.distillery.dataingest;

import java.io.IOException;
import java.util.Optional;

import dev.distillery.dataingest.source.Digest;
import dev.distillery.dataingest.source.FileTree;
import dev.distillery.dataingest.source.PairSource;
import dev.distillery.dataingest.teacher.TeacherFiles;
import dev.distillery.events.InvalidRequestException;
import dev.distillery.events.TrainRequest;
import dev.distillery.planning.MemoryCheck.DeviceMemory;

/** A request whose teacher and data set were found and fit together. */
record CheckedRequest(TrainRequest request, TeacherFiles teacher, FileTree dataset, PairSource pairs) {
    private static final String FORMAT = "dataset 1";

    /** @throws InvalidRequestException with every violation */
    static CheckedRequest of(TrainRequest request, Sources sources, Optional<DeviceMemory> device) throws IOException {
        Findings found = Findings.of(request, sources, device);
        if (!found.violations().isEmpty()) {
            throw new InvalidRequestException(found.violations());
        }
        return new CheckedRequest(
                request,
                found.teacher().orElseThrow(),
                found.dataset().orElseThrow(),
                found.pairs().orElseThrow());
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
