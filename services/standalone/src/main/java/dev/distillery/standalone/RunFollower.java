package dev.distillery.standalone;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;

import dev.distillery.events.Event;
import dev.distillery.events.EventCodec;
import dev.distillery.events.MalformedEventException;
import dev.distillery.events.RunEvent;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Reads one run's events from {@code run-events}, from where the topic ends now; publish the request after making it. */
final class RunFollower implements AutoCloseable {
    private static final Duration POLL = Duration.ofMillis(250);

    private final KafkaConsumer<String, byte[]> consumer;
    private final String run;

    private RunFollower(KafkaConsumer<String, byte[]> consumer, String run) {
        this.consumer = consumer;
        this.run = run;
    }

    static RunFollower atTheEnd(String bootstrapServers, String topic, String run) {
        var consumer = new KafkaConsumer<>(
                Map.<String, Object>of("bootstrap.servers", bootstrapServers, "auto.offset.reset", "latest"),
                new StringDeserializer(),
                new ByteArrayDeserializer());
        List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                .map(p -> new TopicPartition(topic, p.partition()))
                .toList();
        consumer.assign(partitions);
        consumer.endOffsets(partitions).forEach(consumer::seek);
        return new RunFollower(consumer, run);
    }

    /**
     * Shows every event of the run until one ends it.
     *
     * @param stop asked between polls
     * @param check called between polls; throws what ends the run
     * @return empty when it was stopped
     */
    Optional<RunEvent> follow(Progress progress, BooleanSupplier stop, Runnable check) {
        while (!stop.getAsBoolean()) {
            for (ConsumerRecord<String, byte[]> record : consumer.poll(POLL)) {
                RunEvent event = run.equals(record.key()) ? decode(record) : null;
                if (event != null && Outcome.ends(event)) {
                    return Optional.of(event);
                } else if (event != null) {
                    progress.show(event);
                }
            }
            check.run();
        }
        return Optional.empty();
    }

    /** Null for what this version does not know: a newer service may say more. */
    private static RunEvent decode(ConsumerRecord<String, byte[]> record) {
        String type = EventCodec.type(record);
        for (Class<?> known : RunEvent.class.getPermittedSubclasses()) {
            Class<? extends RunEvent> event = known.asSubclass(RunEvent.class);
            if (Event.typeOf(event).equals(type)) {
                try {
                    return EventCodec.read(record, event);
                } catch (MalformedEventException e) {
                    return null;
                }
            }
        }
        return null;
    }

    @Override
    public void close() {
        consumer.close();
    }
}
