package dev.distillery.dataingest.backlog;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.Lease;
import dev.distillery.embedded.Embedded;
import dev.distillery.events.ConsumerGroup;
import dev.distillery.events.Topic;
import dev.distillery.testing.Infrastructure;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** On a real broker and a real S3 server. */
class BacklogTest {
    private static final String PREFIX = "test.";

    private Embedded embedded;
    private ArtifactStore store;

    @BeforeEach
    void start() {
        embedded = Embedded.startTemporary();
        for (Topic topic : Topic.values()) {
            embedded.kafka().createTopics(2, topic.topic(PREFIX));
        }
        store = Infrastructure.store(embedded.s3().endpoint(), "distillery");
        store.ensureBucket();
    }

    @AfterEach
    void stop() {
        embedded.close();
    }

    @Test
    void shouldCountWhatAGroupHasYetToTakeThoughNobodyOfItRuns() throws Exception {
        // Given
        send(Topic.DATASETS_ENCODED, 0, 3);
        send(Topic.DATASETS_ENCODED, 1, 2);
        send(Topic.DEAD_LETTERS, 0, 4);
        try (Admin admin =
                Admin.create(Map.of("bootstrap.servers", embedded.kafka().bootstrapServers()))) {
            var first = new TopicPartition(Topic.DATASETS_ENCODED.topic(PREFIX), 0);
            admin.alterConsumerGroupOffsets("trainer", Map.of(first, new OffsetAndMetadata(2)))
                    .all()
                    .get();

            // When
            Lags lags = Lags.ask(admin, PREFIX);

            // Then
            assertThat(lags.waiting().get(ConsumerGroup.TRAINER))
                    .isEqualTo(Map.of(Topic.DATASETS_ENCODED, 3L, Topic.RUN_CONTROL, 0L));
            assertThat(lags.waiting().get(ConsumerGroup.CONVERTER).values()).containsOnly(0L);
            assertThat(lags.deadLetters()).isEqualTo(4);
        }
    }

    @Test
    void shouldTellRunsThatWaitFromThoseThatAreTrainedOrPaused() {
        // Given
        for (String run : new String[] {"waits", "stale", "trained", "released", "aside"}) {
            store.put(Keys.queue(run), "{}".getBytes(StandardCharsets.UTF_8));
        }
        Lease.acquire(store, "trained", "trainer-1", Duration.ofMinutes(1));
        Lease.acquire(store, "stale", "trainer-1", Duration.ofMillis(-1));
        Lease.acquire(store, "released", "trainer-1", Duration.ofMinutes(1))
                .orElseThrow()
                .release();
        store.createIfAbsent(Keys.paused("aside"), "{}".getBytes(StandardCharsets.UTF_8));

        // Then
        assertThat(RunStates.count(store))
                .isEqualTo(Map.of(RunStates.WAITING, 3, RunStates.TRAINING, 1, RunStates.PAUSED, 1));
    }

    private void send(Topic topic, int partition, int records) {
        try (var producer = new KafkaProducer<>(
                Map.<String, Object>of("bootstrap.servers", embedded.kafka().bootstrapServers()),
                new StringSerializer(),
                new StringSerializer())) {
            for (int i = 0; i < records; i++) {
                producer.send(new ProducerRecord<>(topic.topic(PREFIX), partition, "run", "{}"));
            }
            producer.flush();
        }
    }
}
