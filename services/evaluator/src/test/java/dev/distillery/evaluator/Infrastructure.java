package dev.distillery.evaluator;

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

/** A Kafka broker and an S3 server for a Quarkus test, and their addresses for its configuration. */
public class Infrastructure implements QuarkusTestResourceLifecycleManager {

    private Embedded embedded;

    @Override
    public Map<String, String> start() {
        try {
            embedded = Embedded.startTemporary();
            embedded.kafka()
                    .createTopics(
                            Arrays.stream(Topic.values())
                                    .map(topic -> topic.topic(Topic.DEFAULT_PREFIX))
                                    .toList(),
                            2);
            new ArtifactStore(new StoreConfig(
                            embedded.s3().endpoint(),
                            "us-east-1",
                            "distillery",
                            EmbeddedS3.ACCESS_KEY,
                            EmbeddedS3.SECRET_KEY))
                    .ensureBucket();
            Map<String, String> settings = new HashMap<>(embedded.settings());
            settings.put(
                    "distillery.work-dir", Files.createTempDirectory("work").toString());
            return settings;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void stop() {
        embedded.close();
    }
}
