package dev.distillery.standalone.installation;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

import dev.distillery.embedded.EmbeddedKafka;
import dev.distillery.events.CheckpointSaved;
import dev.distillery.events.RunAccepted;
import dev.distillery.events.RunCompleted;
import dev.distillery.events.Topic;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/** A broker that goes away while a run is followed. */
@Timeout(180)
class FollowReconnectTest {
    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir
    Path dir;

    @Test
    void shouldSaySoAndGoOnWhereItWasWhenTheBrokerComesBack() throws Exception {
        // Given
        EmbeddedKafka broker = EmbeddedKafka.start(dir.resolve("kafka"), 0);
        String servers = broker.bootstrapServers();
        int port = Integer.parseInt(servers.replaceAll(".*:", ""));
        Topics topics = Topics.make(broker);
        topics.publish(Topic.RUN_EVENTS, new RunAccepted("far"), new CheckpointSaved("far", 10, 1, false));
        Cli cli = Cli.without(dir);
        CompletableFuture<Integer> following =
                CompletableFuture.supplyAsync(() -> cli.run("follow", "far", "--kafka", servers));
        await().atMost(SOON).until(() -> cli.out().contains("checkpoint of step 10"));

        // When
        broker.close();
        await().atMost(SOON).until(() -> cli.out().contains("The broker does not answer"));
        try (EmbeddedKafka again = EmbeddedKafka.start(dir.resolve("kafka"), port)) {
            topics.publish(
                    Topic.RUN_EVENTS,
                    new CheckpointSaved("far", 20, 2, true),
                    new RunCompleted("far", "runs/far/model/", "runs/far/report.html"));

            // Then
            assertThat(following.get()).as(cli.err()).isZero();
            assertThat(cli.out().lines().filter(line -> line.contains("does not answer")))
                    .hasSize(1);
            assertThat(cli.out()).contains("The broker answers again", "checkpoint of step 20", "runs/far/report.html");
            assertThat(cli.out().lines().filter(line -> line.contains("checkpoint of step 10")))
                    .hasSize(1);
        }
    }
}
