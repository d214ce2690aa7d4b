package dev.distillery.standalone.evaluation;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.distillery.dataingest.source.Digest;

/**
 * SHA-256 of all that the scores depend on: two reports with the same ones are of the same things. Models by their files, as
 * {@code sha256sum} and the Hub show them.
 *
 * @param data of {@link HeldOutData#sha256}
 * @param student of the U-Net's folder
 * @param clip null without CLIP
 * @param inception null without Inception
 * @param realStatistics null if FID compares with the images of the data
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record Digests(
        String data,
        SortedMap<String, String> student,
        SortedMap<String, String> teacher,
        SortedMap<String, String> clip,
        String inception,
        String realStatistics) {

    /** What a model is read from. */
    private static final List<String> READ = List.of(".json", ".safetensors", ".txt");

    static Digests of(Evaluation.Settings settings, HeldOutData data) throws IOException {
        return new Digests(
                data.sha256(),
                ofFolder(settings.student()),
                ofFolder(settings.teacher()),
                settings.clip().isPresent() ? ofFolder(settings.clip().get()) : null,
                settings.inception().map(Evaluation.InceptionFile::sha256).orElse(null),
                settings.realStatistics().isPresent()
                        ? ofFile(settings.realStatistics().get())
                        : null);
    }

    private static SortedMap<String, String> ofFolder(Path folder) throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.walk(folder)) {
            files = all.filter(file -> READ.stream().anyMatch(file.toString()::endsWith))
                    .filter(Files::isRegularFile)
                    .toList();
        }
        var digests = new TreeMap<String, String>();
        for (Path file : files) {
            digests.put(folder.relativize(file).toString().replace('\\', '/'), ofFile(file));
        }
        return digests;
    }

    private static String ofFile(Path file) throws IOException {
        try (InputStream content = Files.newInputStream(file)) {
            return Digest.of(content);
        }
    }
}
