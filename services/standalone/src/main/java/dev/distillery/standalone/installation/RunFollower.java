package dev.distillery.standalone.installation;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;

import dev.distillery.events.RunEvent;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Reads one run's events from {@code run-events}. The place in the topic is this reader's own, so a broken connection costs nothing:
 * it goes on at the record where it was.
 */
public final class RunFollower implements AutoCloseable {
    private static final Duration POLL = Duration.ofMillis(250);
    private static final Duration ANSWER = Duration.ofSeconds(3);
    /** A run that works says something every second. */
    private static final long SILENCE_NANOS = 3_000_000_000L;

    private final KafkaConsumer<String, byte[]> consumer;
    private final List<TopicPartition> partitions;
    private final String run;
    private long heard = System.nanoTime();
    private boolean lost;

    /** Hears what is read. */
    public interface Listener {
        void seen(Seen event);

        /** The broker does not answer any more. */
        default void lost() {}

        /** It answers again. */
        default void back() {}
    }

    private RunFollower(KafkaConsumer<String, byte[]> consumer, List<TopicPartition> partitions, String run) {
        this.consumer = consumer;
        this.partitions = partitions;
        this.run = run;
        consumer.assign(partitions);
    }

    /** From where the topic ends now; publish the request after making it. */
    public static RunFollower atTheEnd(String bootstrapServers, String topic, String run) {
        var consumer = new KafkaConsumer<>(
                Map.<String, Object>of("bootstrap.servers", bootstrapServers, "auto.offset.reset", "latest"),
                new StringDeserializer(),
                new ByteArrayDeserializer());
        return atTheEnd(
                consumer,
                consumer.partitionsFor(topic).stream()
                        .map(p -> new TopicPartition(topic, p.partition()))
                        .toList(),
                run);
    }

    static RunFollower atTheEnd(KafkaConsumer<String, byte[]> consumer, List<TopicPartition> partitions, String run) {
        RunFollower follower = new RunFollower(consumer, partitions, run);
        consumer.endOffsets(partitions).forEach(consumer::seek);
        return follower;
    }

    static RunFollower fromTheBeginning(
            KafkaConsumer<String, byte[]> consumer, List<TopicPartition> partitions, String run) {
        RunFollower follower = new RunFollower(consumer, partitions, run);
        consumer.beginningOffsets(partitions).forEach(consumer::seek);
        return follower;
    }

    /** What happened until now; of progress the last, if nothing came after it. */
    List<Seen> past(Listener listener) {
        List<Seen> past = new ArrayList<>();
        Map<TopicPartition, Long> end = consumer.endOffsets(partitions);
        while (end.entrySet().stream().anyMatch(e -> consumer.position(e.getKey()) < e.getValue())) {
            ConsumerRecords<String, byte[]> records = consumer.poll(POLL);
            watch(!records.isEmpty(), listener);
            for (ConsumerRecord<String, byte[]> record : records) {
                ours(record).ifPresent(seen -> {
                    if (!past.isEmpty() && past.get(past.size() - 1).isProgress()) {
                        past.remove(past.size() - 1);
                    }
                    past.add(seen);
                });
            }
        }
        return past;
    }

    /**
     * Tells every event of the run until one ends it, which is returned.
     *
     * @param stop asked between polls, and before an event is told
     * @param check called between polls; throws what ends the run
     * @return empty when it was stopped
     */
    public Optional<RunEvent> follow(Listener listener, BooleanSupplier stop, Runnable check) {
        while (!stop.getAsBoolean()) {
            ConsumerRecords<String, byte[]> records = consumer.poll(POLL);
            watch(!records.isEmpty(), listener);
            for (ConsumerRecord<String, byte[]> record : records) {
                Optional<Seen> seen = ours(record);
                if (seen.isPresent() && Outcome.ends(seen.get().event())) {
                    return Optional.of(seen.get().event());
                }
                seen.filter(event -> !stop.getAsBoolean()).ifPresent(listener::seen);
            }
            check.run();
        }
        return Optional.empty();
    }

    private Optional<Seen> ours(ConsumerRecord<String, byte[]> record) {
        return run.equals(record.key()) ? Seen.of(record) : Optional.empty();
    }

    /** Polling is silent about a broker that is gone, so it is asked for something when nothing came for a while. */
    private void watch(boolean something, Listener listener) {
        if (!something && System.nanoTime() - heard < SILENCE_NANOS) {
            return;
        }
        boolean answers = something || answers();
        if (answers && lost) {
            listener.back();
        } else if (!answers && !lost) {
            listener.lost();
        }
        lost = !answers;
        heard = System.nanoTime();
    }

    private boolean answers() {
        try {
            consumer.endOffsets(partitions, ANSWER);
            return true;
        } catch (TimeoutException e) {
            return false;
        }
    }

    @Override
    public void close() {
        consumer.close();
    }
}
