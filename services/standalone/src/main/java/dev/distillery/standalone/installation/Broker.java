package dev.distillery.standalone.installation;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;

import dev.distillery.events.Event;
import dev.distillery.events.EventCodec;
import dev.distillery.events.EventJson;
import dev.distillery.events.Topic;
import dev.distillery.events.messaging.ShardPartitioner;
import dev.distillery.standalone.console.UserException;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;

import static java.nio.charset.StandardCharsets.UTF_8;

/** An installation's Kafka, through Kafka's own clients. What fails throws {@link KafkaException} within {@link Installation#PATIENCE}. */
final class Broker {
    private static final int PATIENCE_MS = (int) Installation.PATIENCE.toMillis();

    private final Map<String, Object> client;
    private final String prefix;

    /** @param client properties of its clients */
    Broker(Map<String, Object> client, String prefix) {
        this.client = new TreeMap<>(client);
        this.client.putAll(Map.of(
                "client.id", "distillery-cli",
                "request.timeout.ms", PATIENCE_MS / 2,
                "socket.connection.setup.timeout.ms", PATIENCE_MS / 2,
                "socket.connection.setup.timeout.max.ms", PATIENCE_MS / 2,
                "reconnect.backoff.max.ms", 1000));
        this.prefix = prefix;
    }

    String topic(Topic topic) {
        return topic.topic(prefix);
    }

    boolean owns(String topic) {
        return topic.startsWith(prefix);
    }

    /** Without a group: whoever reads here takes nothing from the services. */
    KafkaConsumer<String, byte[]> consumer() {
        return new KafkaConsumer<>(consumerSettings(), new StringDeserializer(), new ByteArrayDeserializer());
    }

    /** As {@link #consumer}, of keys that may be anything. */
    KafkaConsumer<byte[], byte[]> bytesConsumer() {
        return new KafkaConsumer<>(consumerSettings(), new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private Map<String, Object> consumerSettings() {
        Map<String, Object> settings = new TreeMap<>(client);
        settings.putAll(Map.of(
                "auto.offset.reset",
                "earliest",
                "enable.auto.commit",
                false,
                "allow.auto.create.topics",
                false,
                "default.api.timeout.ms",
                PATIENCE_MS));
        return settings;
    }

    /** @throws UserException if there is no such topic */
    List<TopicPartition> partitions(KafkaConsumer<?, ?> consumer, Topic topic) {
        return partitions(consumer, topic(topic));
    }

    private List<TopicPartition> partitions(KafkaConsumer<?, ?> consumer, String topic) {
        List<PartitionInfo> partitions = consumer.partitionsFor(topic);
        if (partitions == null || partitions.isEmpty()) {
            throw UserException.failed(
                    "Kafka has no topic '" + topic
                            + "': is this the installation's broker, and the prefix of its topics '" + prefix
                            + "' (--topics-prefix)?",
                    null);
        }
        return partitions.stream()
                .map(p -> new TopicPartition(topic, p.partition()))
                .toList();
    }

    /** As the services publish it; returns when the broker has it. */
    RecordMetadata publish(Topic topic, Event event) {
        return send(List.of(new ProducerRecord<>(
                        topic(topic),
                        null,
                        event.run().getBytes(UTF_8),
                        EventJson.write(event),
                        EventCodec.headers(event))))
                .get(0);
    }

    /**
     * Returns when the broker has all of them.
     *
     * @throws UserException if a topic is not there
     */
    List<RecordMetadata> send(Collection<ProducerRecord<byte[], byte[]>> records) {
        try (KafkaConsumer<String, byte[]> consumer = consumer()) { // a producer might make the topic
            records.stream().map(ProducerRecord::topic).distinct().forEach(topic -> partitions(consumer, topic));
        }
        Map<String, Object> settings = new TreeMap<>(client);
        settings.putAll(Map.of(
                "acks",
                "all",
                "enable.idempotence",
                true,
                "linger.ms",
                0,
                "max.block.ms",
                PATIENCE_MS,
                "delivery.timeout.ms",
                PATIENCE_MS,
                "partitioner.class",
                ShardPartitioner.class.getName()));
        try (var producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            var sent = records.stream().map(producer::send).toList();
            return sent.stream().map(Broker::await).toList();
        }
    }

    private static RecordMetadata await(Future<RecordMetadata> sent) {
        try {
            return sent.get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : new KafkaException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KafkaException("Interrupted before the broker had the record", e);
        }
    }
}
