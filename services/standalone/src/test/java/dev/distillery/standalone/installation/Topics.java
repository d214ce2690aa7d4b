package dev.distillery.standalone.installation;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

import dev.distillery.embedded.EmbeddedKafka;
import dev.distillery.events.Event;
import dev.distillery.events.EventCodec;
import dev.distillery.events.EventJson;
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

/** The topics of a broker as the services see them. */
final class Topics {
    private final String bootstrapServers;

    private Topics(String bootstrapServers) {
        this.bootstrapServers = bootstrapServers;
    }

    /** Makes all topics of an installation. */
    static Topics make(EmbeddedKafka kafka) {
        kafka.createTopics(
                Arrays.stream(Topic.values())
                        .map(topic -> topic.topic(Topic.DEFAULT_PREFIX))
                        .toList(),
                3);
        return new Topics(kafka.bootstrapServers());
    }

    void publish(Topic topic, Event... events) {
        for (Event event : events) {
            send(new ProducerRecord<>(
                    topic.topic(Topic.DEFAULT_PREFIX),
                    null,
                    event.run(),
                    EventJson.write(event),
                    EventCodec.headers(event)));
        }
    }

    void send(ProducerRecord<String, byte[]> record) {
        try (var producer = new KafkaProducer<>(
                Map.<String, Object>of("bootstrap.servers", bootstrapServers),
                new StringSerializer(),
                new ByteArraySerializer())) {
            producer.send(record);
        }
    }

    /** Everything that is in a topic, in the order of each partition. */
    List<ConsumerRecord<String, byte[]>> all(Topic topic) {
        try (var consumer = new KafkaConsumer<>(
                Map.<String, Object>of("bootstrap.servers", bootstrapServers),
                new StringDeserializer(),
                new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic.topic(Topic.DEFAULT_PREFIX)).stream()
                    .map(p -> new TopicPartition(p.topic(), p.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> end = consumer.endOffsets(partitions);
            List<ConsumerRecord<String, byte[]>> records = new ArrayList<>();
            while (end.entrySet().stream().anyMatch(e -> consumer.position(e.getKey()) < e.getValue())) {
                consumer.poll(Duration.ofMillis(100)).forEach(records::add);
            }
            return records;
        }
    }
}
