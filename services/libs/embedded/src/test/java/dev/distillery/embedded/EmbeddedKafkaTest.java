package dev.distillery.embedded;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;

import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class EmbeddedKafkaTest {

    @TempDir
    Path dir;

    @Test
    void shouldKeepTopicsAndRecordsWhenStartedAgainOnTheSameFolder() throws Exception {
        // Given
        try (EmbeddedKafka kafka = EmbeddedKafka.start(dir, 0)) {
            kafka.createTopics(1, "letters");
            send(kafka, "letters", "a");
        }

        // When
        List<String> records;
        try (EmbeddedKafka kafka = EmbeddedKafka.start(dir, 0)) {
            kafka.createTopics(1, "letters", "numbers");
            send(kafka, "letters", "b");
            records = receive(kafka, "letters", 2);
        }

        // Then
        assertThat(records).containsExactly("a", "b");
    }

    @Test
    void shouldKeepTwoBrokersApartWhenBothRunInOneJvm() throws Exception {
        // Given
        try (EmbeddedKafka one = EmbeddedKafka.start(dir.resolve("one"), 0);
                EmbeddedKafka two = EmbeddedKafka.start(dir.resolve("two"), 0)) {
            one.createTopics(1, "letters");
            two.createTopics(1, "letters");

            // When
            send(one, "letters", "a");
            send(two, "letters", "b");

            // Then
            assertThat(receive(one, "letters", 1)).containsExactly("a");
            assertThat(receive(two, "letters", 1)).containsExactly("b");
        }
    }

    @Test
    void shouldNameThePortWhenItIsTaken() throws IOException {
        // Given
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            int port = taken.getLocalPort();

            // When / Then
            assertThatThrownBy(() -> EmbeddedKafka.start(dir, port))
                    .isInstanceOf(EmbeddedException.class)
                    .hasMessageContaining("port " + port);
        }
    }

    private static void send(EmbeddedKafka kafka, String topic, String value)
            throws ExecutionException, InterruptedException {
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", kafka.bootstrapServers()),
                new StringSerializer(),
                new StringSerializer())) {
            producer.send(new ProducerRecord<>(topic, value)).get();
        }
    }

    private static List<String> receive(EmbeddedKafka kafka, String topic, int count) {
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", kafka.bootstrapServers(), "auto.offset.reset", "earliest"),
                new StringDeserializer(),
                new StringDeserializer())) {
            List<TopicPartition> partition = List.of(new TopicPartition(topic, 0));
            consumer.assign(partition);
            consumer.seekToBeginning(partition);
            List<String> values = new ArrayList<>();
            long giveUp = System.nanoTime() + Duration.ofSeconds(20).toNanos();
            while (values.size() < count && System.nanoTime() < giveUp) {
                consumer.poll(Duration.ofMillis(200)).forEach(r -> values.add(r.value()));
            }
            return values;
        }
    }
}
