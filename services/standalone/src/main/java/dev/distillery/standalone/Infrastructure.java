package dev.distillery.standalone;

import java.nio.file.Path;
import java.util.Arrays;

import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.embedded.Embedded;
import dev.distillery.events.Topic;
import io.quarkus.runtime.StartupEvent;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Broker and store of the standalone. They start before the channels connect, and stop after them: a consumer that cannot leave its
 * group is waited for at the next start, so {@link #stop()} is called when the application has ended.
 */
@ApplicationScoped
class Infrastructure {
    private static Embedded embedded;

    private final Path home;
    private final int kafkaPort;
    private final int s3Port;
    private final int partitions;
    private final String prefix;
    private final ArtifactStore store;

    Infrastructure(
            @ConfigProperty(name = "distillery.standalone.home") Path home,
            @ConfigProperty(name = "distillery.standalone.kafka-port") int kafkaPort,
            @ConfigProperty(name = "distillery.standalone.s3-port") int s3Port,
            @ConfigProperty(name = "distillery.standalone.partitions", defaultValue = "2") int partitions,
            @ConfigProperty(name = "distillery.topics.prefix", defaultValue = Topic.DEFAULT_PREFIX) String prefix,
            ArtifactStore store) {
        this.home = home;
        this.kafkaPort = kafkaPort;
        this.s3Port = s3Port;
        this.partitions = partitions;
        this.prefix = prefix;
        this.store = store;
    }

    void start(@Observes @Priority(1) StartupEvent event) {
        synchronized (Infrastructure.class) {
            embedded = Embedded.start(home, kafkaPort, s3Port);
            embedded.kafka()
                    .createTopics(
                            Arrays.stream(Topic.values())
                                    .map(topic -> topic.topic(prefix))
                                    .toList(),
                            partitions);
        }
        store.ensureBucket();
    }

    /** Stops what was started; a second call does nothing. */
    static synchronized void stop() {
        if (embedded != null) {
            embedded.close();
            embedded = null;
        }
    }
}
