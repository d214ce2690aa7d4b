package dev.distillery.embedded;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.stream.Stream;

/** Both parts below one folder, {@code kafka/} and {@code s3/}, with the settings that point the services at them. */
public final class Embedded implements AutoCloseable {
    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;
    private final Path removedAtTheEnd;

    private Embedded(EmbeddedKafka kafka, EmbeddedS3 s3, Path removedAtTheEnd) {
        this.kafka = kafka;
        this.s3 = s3;
        this.removedAtTheEnd = removedAtTheEnd;
    }

    /**
     * Starts both, or neither.
     *
     * @param kafkaPort 0 for any free port
     * @param s3Port 0 for any free port
     */
    public static Embedded start(Path dir, int kafkaPort, int s3Port) {
        return start(dir, kafkaPort, s3Port, null);
    }

    /** For tests: on a new temporary folder, which goes when it is closed. */
    public static Embedded startTemporary() {
        try {
            Path dir = Files.createTempDirectory("distillery-embedded");
            return start(dir, 0, 0, dir);
        } catch (IOException e) {
            throw new EmbeddedException("No temporary folder can be made: " + e.getMessage(), e);
        }
    }

    private static Embedded start(Path dir, int kafkaPort, int s3Port, Path removedAtTheEnd) {
        EmbeddedS3 s3 = EmbeddedS3.start(dir.resolve("s3"), s3Port);
        try {
            return new Embedded(EmbeddedKafka.start(dir.resolve("kafka"), kafkaPort), s3, removedAtTheEnd);
        } catch (RuntimeException e) {
            s3.close();
            throw e;
        }
    }

    public EmbeddedKafka kafka() {
        return kafka;
    }

    public EmbeddedS3 s3() {
        return s3;
    }

    /** The services' configuration: {@code kafka.bootstrap.servers} and {@code distillery.store.*}. */
    public Map<String, String> settings() {
        return settings(kafka.bootstrapServers(), s3.endpoint());
    }

    /** The settings for parts that are started later, on ports chosen before (configuration is read first). */
    public static Map<String, String> settings(int kafkaPort, int s3Port) {
        return settings("localhost:" + kafkaPort, "http://127.0.0.1:" + s3Port);
    }

    private static Map<String, String> settings(String bootstrapServers, String endpoint) {
        return Map.of(
                "kafka.bootstrap.servers",
                bootstrapServers,
                "distillery.store.endpoint",
                endpoint,
                "distillery.store.access-key",
                EmbeddedS3.ACCESS_KEY,
                "distillery.store.secret-key",
                EmbeddedS3.SECRET_KEY);
    }

    @Override
    public void close() {
        try {
            kafka.close();
        } finally {
            s3.close();
            if (removedAtTheEnd != null) {
                remove(removedAtTheEnd);
            }
        }
    }

    private static void remove(Path dir) {
        try (Stream<Path> all = Files.walk(dir)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            throw new EmbeddedException("The temporary folder " + dir + " cannot be removed: " + e.getMessage(), e);
        }
    }
}
