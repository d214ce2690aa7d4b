package dev.distillery.standalone.installation;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

import dev.distillery.events.Topic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * The last that was told of runs. The topic may hold days of many runs, so it is read from its end backwards, in pieces, until
 * something is known of each run.
 */
final class EventTail implements AutoCloseable {
    private static final Duration POLL = Duration.ofMillis(200);
    private static final long FIRST_PIECE = 1_000;
    /** Of a partition. What was told of a run before so many other records is not looked for. */
    private static final long MOST = 50_000;

    private final KafkaConsumer<String, byte[]> consumer;
    private final List<TopicPartition> partitions;

    /**
     * @param event the last one
     * @param progress the last that tells progress; null: none was found
     */
    record Last(Seen event, Seen progress) {
        private Last followedBy(Last later) {
            return new Last(later.event, later.progress == null ? progress : later.progress);
        }
    }

    private EventTail(KafkaConsumer<String, byte[]> consumer, List<TopicPartition> partitions) {
        this.consumer = consumer;
        this.partitions = partitions;
        consumer.assign(partitions);
    }

    static Map<String, Last> of(Broker broker, Collection<String> runs) {
        if (runs.isEmpty()) {
            return Map.of();
        }
        KafkaConsumer<String, byte[]> consumer = broker.consumer();
        try (EventTail tail = new EventTail(consumer, broker.partitions(consumer, Topic.RUN_EVENTS))) {
            return tail.last(Set.copyOf(runs));
        }
    }

    static Optional<Last> of(Broker broker, String run) {
        return Optional.ofNullable(of(broker, List.of(run)).get(run));
    }

    private Map<String, Last> last(Set<String> runs) {
        Map<TopicPartition, Long> beginning = consumer.beginningOffsets(partitions);
        Map<TopicPartition, Long> to = consumer.endOffsets(partitions);
        Map<String, Last> found = new HashMap<>();
        long piece = FIRST_PIECE;
        for (long read = 0; read < MOST && !found.keySet().containsAll(runs) && !to.equals(beginning); read += piece) {
            long size = piece;
            Map<TopicPartition, Long> until = to;
            Map<TopicPartition, Long> from = partitions.stream()
                    .collect(Collectors.toMap(p -> p, p -> Math.max(beginning.get(p), until.get(p) - size)));
            Map<String, Last> earlier = read(from, until, runs);
            found.forEach((run, later) -> earlier.merge(run, later, Last::followedBy));
            found = earlier;
            to = from;
            piece *= 4;
        }
        return found;
    }

    private Map<String, Last> read(Map<TopicPartition, Long> from, Map<TopicPartition, Long> to, Set<String> runs) {
        from.forEach(consumer::seek);
        Map<String, Last> found = new HashMap<>();
        long heard = System.nanoTime();
        while (partitions.stream().anyMatch(p -> consumer.position(p) < to.get(p))) {
            ConsumerRecords<String, byte[]> records = consumer.poll(POLL);
            if (!records.isEmpty()) {
                heard = System.nanoTime();
            } else if (System.nanoTime() - heard > Installation.PATIENCE.toNanos()) {
                throw new TimeoutException("no records of " + partitions + " came");
            }
            for (ConsumerRecord<String, byte[]> record : records) {
                boolean wanted = record.key() != null
                        && runs.contains(record.key())
                        && record.offset() < to.get(new TopicPartition(record.topic(), record.partition()));
                Seen.of(record)
                        .filter(seen -> wanted)
                        .ifPresent(seen -> found.merge(
                                record.key(), new Last(seen, seen.isProgress() ? seen : null), Last::followedBy));
            }
        }
        return found;
    }

    @Override
    public void close() {
        consumer.close();
    }
}
