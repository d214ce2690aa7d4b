package dev.distillery.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.StoreConfig;
import dev.distillery.embedded.Embedded;
import dev.distillery.embedded.EmbeddedS3;
import dev.distillery.events.Topic;
import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;

/** A Kafka broker with all topics and an S3 server with the bucket, and their addresses for the service's configuration. */
public class Infrastructure implements QuarkusTestResourceLifecycleManager {

    private Embedded embedded;

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
        Map<String, String> settings = new HashMap<>(embedded.settings());
        try {
            settings.put(
                    "distillery.work-dir", Files.createTempDirectory("work").toString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return settings;
    }

    /** A bucket of an embedded S3 server. */
    public static ArtifactStore store(String endpoint, String bucket) {
        return new ArtifactStore(
                new StoreConfig(endpoint, "us-east-1", bucket, EmbeddedS3.ACCESS_KEY, EmbeddedS3.SECRET_KEY));
    }

    @Override
    public void stop() {
        embedded.close();
    }
}
