package dev.distillery.standalone.evaluation;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

import dev.distillery.artifacts.Digest;
import dev.distillery.diffusion.clip.PromptEncoder;
import dev.distillery.evaluator.score.Digests;
import dev.distillery.evaluator.score.Evaluation;

/** Digests of what lies on this machine. */
final class FolderDigests {
    private FolderDigests() {}

    static Digests of(Evaluation.Settings settings, HeldOutData data, Optional<Path> realStatistics)
            throws IOException {
        return new Digests(
                data.sha256(),
                ofStudent(settings),
                ofFolder(settings.teacher()),
                settings.clip().isPresent() ? ofFolder(settings.clip().get()) : null,
                settings.inception().map(Evaluation.InceptionFile::sha256).orElse(null),
                realStatistics.isPresent() ? Digest.of(realStatistics.get()) : null);
    }

    private static SortedMap<String, String> ofStudent(Evaluation.Settings settings) throws IOException {
        SortedMap<String, String> digests = ofFolder(settings.student());
        if (settings.trained().isPresent()) {
            for (String encoder :
                    PromptEncoder.configs(settings.trained().get()).keySet()) {
                ofFolder(settings.trained().get().resolve(encoder))
                        .forEach((file, sha256) -> digests.put(encoder + "/" + file, sha256));
            }
        }
        return digests;
    }

    private static SortedMap<String, String> ofFolder(Path folder) throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.walk(folder)) {
            files = all.filter(file -> Digests.isOfModel(file.toString()))
                    .filter(Files::isRegularFile)
                    .toList();
        }
        var digests = new TreeMap<String, String>();
        for (Path file : files) {
            digests.put(folder.relativize(file).toString().replace('\\', '/'), Digest.of(file));
        }
        return digests;
    }
}
