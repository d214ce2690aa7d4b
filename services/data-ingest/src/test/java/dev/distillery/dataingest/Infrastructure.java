package dev.distillery.dataingest;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.StoreConfig;
import dev.distillery.embedded.Embedded;
import dev.distillery.embedded.EmbeddedS3;
import dev.distillery.events.Topic;
import dev.distillery.hub.HubServer;
import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;

/** A Kafka broker with all topics and an S3 server with the bucket, and their addresses for the service's configuration. */
public class Infrastructure implements QuarkusTestResourceLifecycleManager {
    private static final Path EXAMPLES = Path.of("../../deploy/examples");

    private Embedded embedded;
    private HubServer hub;

    @Override
    public Map<String, String> start() {
        embedded = Embedded.startTemporary();
        embedded.kafka()
                .createTopics(
                        Arrays.stream(Topic.values())
                                .map(topic -> topic.topic(Topic.DEFAULT_PREFIX))
                                .toList(),
                        2);
        store(embedded.s3().endpoint(), "distillery").ensureBucket();
        var settings = new HashMap<>(embedded.settings());
        hub = new HubServer();
        settings.put("hf.endpoint", hub.endpoint());
        settings.put("distillery.sources.private-addresses", "true"); // the tests' own servers
        settings.put("distillery.sources.plain-http", "true");
        settings.put("distillery.sources.pause", "10ms");
        settings.put(
                "distillery.sources.folders",
                EXAMPLES.toAbsolutePath().normalize() + "," + System.getProperty("java.io.tmpdir"));
        try {
            hub.add("models/distillery/mini-sdxl", files(EXAMPLES.resolve("mini-sdxl")));
            hub.add("datasets/distillery/noto-emoji", files(EXAMPLES.resolve("noto-emoji")));
            settings.put(
                    "distillery.work-dir", Files.createTempDirectory("work").toString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return settings;
    }

    private static Map<String, byte[]> files(Path folder) throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        try (Stream<Path> walk = Files.walk(folder)) {
            for (Path file : walk.filter(Files::isRegularFile).toList()) {
                files.put(folder.relativize(file).toString(), Files.readAllBytes(file));
            }
        }
        return files;
    }

    static ArtifactStore store(String endpoint, String bucket) {
        return new ArtifactStore(
                new StoreConfig(endpoint, "us-east-1", bucket, EmbeddedS3.ACCESS_KEY, EmbeddedS3.SECRET_KEY));
    }

    @Override
    public void stop() {
        embedded.close();
        hub.close();
    }
}
