package dev.distillery.trainer.run;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.stream.Collectors;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;

/**
 * The run's {@code metrics.jsonl}: one JSON object a line, each with its {@code step}. What a run that is resumed had
 * written beyond its checkpoint is dropped, because those steps are done again.
 */
final class MetricsLog {

    private static final ObjectMapper JSON = new ObjectMapper();

    private final LocalDisk disk;
    private long written;

    private MetricsLog(LocalDisk disk) {
        this.disk = disk;
    }

    /** Continues {@code before}, the lines of an earlier part of this run, after step {@code done}. */
    static MetricsLog continuing(LocalDisk disk, byte[] before, long done) {
        MetricsLog log = new MetricsLog(disk);
        disk.write("metrics log", () -> {
            Files.createDirectories(disk.folder());
            Files.deleteIfExists(log.file());
        });
        log.append(new String(before, StandardCharsets.UTF_8)
                .lines()
                .filter(line -> stepOf(line) <= done)
                .map(line -> line + "\n")
                .collect(Collectors.joining()));
        return log;
    }

    /** Adds a line; {@code values} are written in their order. */
    void add(Map<String, Object> values) {
        try {
            append(JSON.writeValueAsString(values) + "\n");
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }

    /** By position: half a line that a full disk took is written over. */
    private void append(String lines) {
        byte[] bytes = lines.getBytes(StandardCharsets.UTF_8);
        disk.write("metrics log", () -> {
            try (FileChannel channel = FileChannel.open(file(), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                channel.position(written);
                ByteBuffer left = ByteBuffer.wrap(bytes);
                while (left.hasRemaining()) {
                    channel.write(left);
                }
            }
        });
        written += bytes.length;
    }

    /** The log so far. */
    Path file() {
        return disk.folder().resolve("metrics.jsonl");
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
