package dev.distillery.dataingest.setup;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

import dev.distillery.embedded.Embedded;
import dev.distillery.events.ConsumerGroup;
import dev.distillery.events.Topic;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** The tasks on a real broker and a real S3 server. */
class SetupTest {
    private static Embedded embedded;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @BeforeAll
    static void start() {
        embedded = Embedded.startTemporary();
    }

    @AfterAll
    static void stop() {
        embedded.close();
    }

    @Test
    void shouldMakeTopicsWithFirstOffsetsOfEveryGroupOnce() throws Exception {
        // When
        int code = setup(Map.of("distillery.topics.partitions", "3", "distillery.topics.prefix", "made."), "topics");
        int again = setup(Map.of("distillery.topics.partitions", "5", "distillery.topics.prefix", "made."), "topics");

        // Then
        assertThat(code).isZero();
        assertThat(again).isZero();
        assertThat(out()).contains("Made made.train-requests, ").endsWith("All topics are there.\n");
        try (Admin admin = admin()) {
            Map<String, TopicDescription> topics = admin.describeTopics(Set.of("made.run-events", "made.dead-letters"))
                    .allTopicNames()
                    .get();
            assertThat(topics.values()).allMatch(topic -> topic.partitions().size() == 3);
            Map<TopicPartition, OffsetAndMetadata> offsets = admin.listConsumerGroupOffsets(ConsumerGroup.TRAINER.id())
                    .partitionsToOffsetAndMetadata()
                    .get();
            assertThat(offsets)
                    .containsEntry(new TopicPartition("made.datasets-encoded", 2), new OffsetAndMetadata(0))
                    .containsKey(new TopicPartition("made.run-control", 0));
        }
    }

    @Test
    void shouldSayWhatIsMissingUntilItIsThere() {
        // Given
        Map<String, String> settings =
                Map.of("distillery.topics.prefix", "checked.", "distillery.store.bucket", "checked");

        // When
        int without = setup(settings, "check");
        String missing = err();
        setup(settings, "topics");
        int withoutBucket = setup(settings, "check");
        setup(settings, "bucket");
        int whole = setup(settings, "check");

        // Then
        assertThat(without).isEqualTo(1);
        assertThat(missing).contains("checked.train-requests").contains("make them with 'setup topics'");
        assertThat(withoutBucket).isEqualTo(1);
        assertThat(err())
                .contains("The store at " + embedded.s3().endpoint()
                        + "/checked has no such bucket; make it with 'setup bucket'");
        assertThat(whole).isZero();
        assertThat(out())
                .endsWith("Kafka: all " + Topic.values().length + " topics are there\nStore: "
                        + embedded.s3().endpoint() + "/checked takes conditional writes\n");
    }

    @Test
    void shouldSayInOneLineThatKeysAreWrong() {
        // When
        int code = setup(Map.of("distillery.store.secret-key", "wrong-secret"), "bucket");

        // Then
        assertThat(code).isEqualTo(1);
        assertThat(err())
                .contains("answered 403")
                .contains("distillery.store.access-key")
                .doesNotContain("wrong-secret")
                .hasLineCount(1);
    }

    @Test
    void shouldSayInOneLineThatNobodyAnswers() {
        // When
        int code = setup(
                Map.of("kafka.bootstrap.servers", "localhost:1", "kafka.default.api.timeout.ms", "2000"), "topics");

        // Then
        assertThat(code).isEqualTo(1);
        assertThat(err()).startsWith("Kafka at localhost:1: TimeoutException: ").hasLineCount(1);
    }

    @Test
    void shouldNameTheSettingThatIsWrong() {
        // When
        int code = setup(Map.of("distillery.topics.partitions", "many"), "topics");

        // Then
        assertThat(code).isEqualTo(2);
        assertThat(err()).contains("distillery.topics.partitions").contains("many");
        assertThat(setup(Map.of(), "everything")).isEqualTo(2);
        assertThat(err()).contains("must be topics, bucket or check but was 'everything'");
    }

    private int setup(Map<String, String> settings, String task) {
        Map<String, String> all = new HashMap<>(embedded.settings());
        all.putAll(settings);
        var config = new SmallRyeConfigBuilder()
                .withSources(new PropertiesConfigSource(all, "test", 100))
                .build();
        return Setup.run(config, List.of(task), new PrintStream(out), new PrintStream(err));
    }

    private static Admin admin() {
        return Admin.create(Map.of("bootstrap.servers", embedded.kafka().bootstrapServers()));
    }

    private String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private String err() {
        return err.toString(StandardCharsets.UTF_8);
    }
}
