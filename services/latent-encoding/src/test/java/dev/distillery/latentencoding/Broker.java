package dev.distillery.latentencoding;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

import dev.distillery.events.EventCodec;
import dev.distillery.events.Topic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

import static org.awaitility.Awaitility.await;

/** What a user does with the broker: publish a request, and read what the service says. */
final class Broker {
    private final String servers;

    Broker(String servers) {
        this.servers = servers;
    }

    void publish(Topic topic, String key, String json, Map<String, String> headers) throws Exception {
        try (var producer = new KafkaProducer<>(
                Map.<String, Object>of("bootstrap.servers", servers),
                new StringSerializer(),
                new ByteArraySerializer())) {
            var record = new ProducerRecord<>(topic.topic(Topic.DEFAULT_PREFIX), key, json.getBytes());
            headers.forEach((name, value) -> record.headers().add(name, value.getBytes()));
            producer.send(record).get();
        }
    }

    /** All that the topic holds, in the order of each key. */
    List<ConsumerRecord<String, byte[]>> records(Topic topic) {
        try (var consumer = new KafkaConsumer<>(
                Map.<String, Object>of("bootstrap.servers", servers),
                new StringDeserializer(),
                new ByteArrayDeserializer())) {
            String name = topic.topic(Topic.DEFAULT_PREFIX);
            List<TopicPartition> partitions = consumer.partitionsFor(name).stream()
                    .map(p -> new TopicPartition(name, p.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            var records = new ArrayList<ConsumerRecord<String, byte[]>>();
            while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.get(p))) {
                consumer.poll(Duration.ofMillis(200)).forEach(records::add);
            }
            return records;
        }
    }

    /** Whether the group is through with all that the topic holds. */
    boolean committed(String group, Topic topic) {
        try (var consumer = new KafkaConsumer<>(
                Map.<String, Object>of("bootstrap.servers", servers, "group.id", group),
                new StringDeserializer(),
                new ByteArrayDeserializer())) {
            String name = topic.topic(Topic.DEFAULT_PREFIX);
            Set<TopicPartition> partitions = consumer.partitionsFor(name).stream()
                    .map(p -> new TopicPartition(name, p.partition()))
                    .collect(Collectors.toSet());
            var committed = consumer.committed(partitions);
            return consumer.endOffsets(partitions).entrySet().stream()
                    .allMatch(end -> end.getValue() == 0
                            || committed.get(end.getKey()) != null
                                    && committed.get(end.getKey()).offset() == end.getValue());
        }
    }

    /** The run's events, {@code type json}, once there are so many of a type. */
    List<String> events(String run, String type, int count) {
        return await().atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofMillis(200))
                .until(
                        () -> eventsNow(run),
                        events -> events.stream()
                                        .filter(e -> e.startsWith("dev.distillery." + type + ".v1 "))
                                        .count()
                                >= count);
    }

    private List<String> eventsNow(String run) {
        return records(Topic.RUN_EVENTS).stream()
                .filter(record -> run.equals(record.key()))
                .map(record -> EventCodec.type(record) + " " + new String(record.value(), StandardCharsets.UTF_8))
                .toList();
    }
}
