package dev.distillery.testing;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;

import dev.distillery.events.Event;
import dev.distillery.events.EventCodec;
import dev.distillery.events.Topic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Everything that is published on a topic, from its beginning. */
public final class Published implements AutoCloseable {

    private final List<ConsumerRecord<String, byte[]>> records = new CopyOnWriteArrayList<>();
    private volatile boolean closed;

    public Published(String bootstrapServers, Topic topic) {
        new Thread(() -> read(bootstrapServers, topic.topic(Topic.DEFAULT_PREFIX)), "published").start();
    }

    private void read(String bootstrapServers, String topic) {
        Map<String, Object> settings = Map.of(
                "bootstrap.servers",
                bootstrapServers,
                "group.id",
                UUID.randomUUID().toString(),
                "auto.offset.reset",
                "earliest");
        try (KafkaConsumer<String, byte[]> consumer =
                new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of(topic));
            while (!closed) {
                consumer.poll(Duration.ofMillis(100)).forEach(records::add);
            }
        }
    }

    /** The events of a type about a run, in order. */
    public <E extends Event> List<E> of(String run, Class<E> type) {
        return records.stream()
                .filter(record -> run.equals(record.key()))
                .filter(record -> Event.typeOf(type).equals(EventCodec.type(record)))
                .map(record -> EventCodec.read(record, type))
                .toList();
    }

    public List<String> types(String run) {
        return records.stream()
                .filter(record -> run.equals(record.key()))
                .map(EventCodec::type)
                .toList();
    }

    /** Why records of a run are dead letters. */
    public List<String> reasons(String run) {
        return records.stream()
                .filter(record -> run.equals(record.key()))
                .map(record -> record.headers().lastHeader("dead-letter-reason"))
                .map(header -> new String(header.value(), StandardCharsets.UTF_8))
                .toList();
    }

    public List<ConsumerRecord<String, byte[]>> records() {
        return records;
    }

    @Override
    public void close() {
        closed = true;
    }
}
