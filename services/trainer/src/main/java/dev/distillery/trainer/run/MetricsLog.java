package dev.distillery.trainer.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;

import com.fasterxml.jackson.databind.ObjectMapper;

/**
 * The run's {@code metrics.jsonl}: one JSON object a line, each with its {@code step}. What a run that is resumed had
 * written beyond its checkpoint is dropped, because those steps are done again.
 */
final class MetricsLog {

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path file;

    private MetricsLog(Path file) {
        this.file = file;
    }

    /** Continues {@code before}, the lines of an earlier part of this run, after step {@code done}. */
    static MetricsLog continuing(Path file, byte[] before, long done) {
        try {
            List<String> kept = new String(before, StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> stepOf(line) <= done)
                    .toList();
            Files.createDirectories(file.getParent());
            Files.write(file, kept);
            return new MetricsLog(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Adds a line; {@code values} are written in their order. */
    void add(Map<String, Object> values) {
        try {
            Files.writeString(file, JSON.writeValueAsString(values) + "\n", StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The log so far. */
    Path file() {
        return file;
    }

    /** A line that was cut off when its process died belongs to no step. */
    private static long stepOf(String line) {
        try {
            return JSON.readTree(line).path("step").asLong(Long.MAX_VALUE);
        } catch (IOException e) {
            return Long.MAX_VALUE;
        }
    }
}
