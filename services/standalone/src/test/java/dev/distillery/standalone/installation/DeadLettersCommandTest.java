package dev.distillery.standalone.installation;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import dev.distillery.embedded.EmbeddedKafka;
import dev.distillery.events.Topic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

/** Dead letters as SmallRye's consumers leave them. */
@Timeout(120)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class DeadLettersCommandTest {
    @TempDir
    static Path dir;

    private static EmbeddedKafka kafka;
    private static Topics topics;

    private Cli cli;

    @BeforeAll
    static void start() {
        kafka = EmbeddedKafka.start(dir.resolve("kafka"), 0);
        topics = Topics.make(kafka);
    }

    @AfterAll
    static void stop() {
        kafka.close();
    }

    @BeforeEach
    void makeCli() {
        cli = Cli.without(dir).env("DISTILLERY_KAFKA_BOOTSTRAP_SERVERS", kafka.bootstrapServers());
    }

    @Test
    @Order(1)
    void shouldSaySoWhenThereAreNone() {
        // When
        int code = cli.run("dead-letters", "list");

        // Then
        assertThat(code).as(cli.err()).isZero();
        assertThat(cli.out()).contains("There are no dead letters.");
    }

    @Test
    @Order(2)
    void shouldTellWhereTheyCameFromAndWhy() {
        // Given
        dead("distillery.train-requests", "wrong", "{\"run\": \"wrong\"}", "'teacher.model' must be given");

        // When
        int code = cli.run("dead-letters", "list", "-o", "json");
        String id = cli.json().at("/0/id").asText();
        cli.run("dead-letters", "show", id);

        // Then
        assertThat(code).as(cli.err()).isZero();
        assertThat(id).matches("[012]:0");
        assertThat(cli.out())
                .contains("distillery.train-requests, 2:7", "wrong", "'teacher.model' must be given")
                .contains("content-type: application/json", "{\"run\": \"wrong\"}");
    }

    @Test
    @Order(3)
    void shouldSendItToWhereItCameFromAsItWas() {
        // Given
        dead("distillery.run-control", "again", "{\"run\": \"again\", \"action\": \"cancel\"}", "no store");
        cli.run("dead-letters", "list", "-o", "json");
        String id = cli.json().at("/1/id").asText();

        // When
        int code = cli.run("dead-letters", "replay", id);

        // Then
        assertThat(code).as(cli.err()).isZero();
        assertThat(topics.all(Topic.RUN_CONTROL)).singleElement().satisfies(record -> {
            assertThat(record.key()).isEqualTo("again");
            assertThat(record.value()).asString().isEqualTo("{\"run\": \"again\", \"action\": \"cancel\"}");
            assertThat(headers(record)).isEqualTo(Map.of("content-type", "application/json"));
        });
        assertThat(topics.all(Topic.TRAIN_REQUESTS)).isEmpty();
    }

    @Test
    @Order(4)
    void shouldSendAllWithTheirHeadersAndEvenThoseWithoutAKey() {
        // Given
        dead("distillery.train-requests", null, "not JSON", "malformed");

        // When
        int code = cli.run("dead-letters", "replay", "--all");

        // Then
        assertThat(code).as(cli.err()).isZero();
        assertThat(topics.all(Topic.TRAIN_REQUESTS))
                .extracting(record -> new String(record.value(), StandardCharsets.UTF_8))
                .containsExactlyInAnyOrder("{\"run\": \"wrong\"}", "not JSON");
        assertThat(topics.all(Topic.TRAIN_REQUESTS))
                .filteredOn(record -> record.key() == null)
                .singleElement()
                .satisfies(record -> assertThat(record.partition()).isEqualTo(2));
    }

    @ParameterizedTest
    @Order(5)
    @CsvSource(
            delimiter = '|',
            value = {
                "replay 0:99999|There is no dead letter 0:99999",
                "show 17|named PARTITION:OFFSET",
                "replay|--all",
                "''|Missing command: list, show, replay"
            })
    void shouldSayWhatIsWrong(String arguments, String said) {
        // When
        int code = cli.run(("dead-letters " + arguments).strip().split(" "));

        // Then
        assertThat(code).isEqualTo(2);
        assertThat(cli.err()).contains(said);
    }

    @Test
    @Order(6)
    void shouldSendNothingToATopicOfSomebodyElse() {
        // Given
        dead("payments", "evil", "{}", "x");
        int before = topics.all(Topic.TRAIN_REQUESTS).size();

        // When
        int code = cli.run("dead-letters", "replay", "--all");

        // Then
        assertThat(code).isEqualTo(1);
        assertThat(cli.err()).contains("'payments', no topic of this installation");
        assertThat(topics.all(Topic.TRAIN_REQUESTS)).hasSize(before);
    }

    private static void dead(String topic, String key, String value, String reason) {
        topics.send(new ProducerRecord<>(
                Topic.DEAD_LETTERS.topic(Topic.DEFAULT_PREFIX),
                null,
                key,
                value.getBytes(StandardCharsets.UTF_8),
                List.of(
                        header("content-type", "application/json"),
                        header("dead-letter-reason", reason),
                        header("dead-letter-topic", topic),
                        header("dead-letter-partition", "2"),
                        header("dead-letter-offset", "7"),
                        header("dead-letter-exception-class-name", "java.lang.IllegalStateException"))));
    }

    private static Header header(String name, String value) {
        return new RecordHeader(name, value.getBytes(StandardCharsets.UTF_8));
    }

    private static Map<String, String> headers(ConsumerRecord<?, ?> record) {
        Map<String, String> headers = new TreeMap<>();
        record.headers().forEach(h -> headers.put(h.key(), new String(h.value(), StandardCharsets.UTF_8)));
        return headers;
    }
}
