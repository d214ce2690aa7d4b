package dev.distillery.standalone.installation;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

import dev.distillery.events.Topic;
import dev.distillery.standalone.console.UserException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;

/** The topic of dead letters, read from its beginning to where it ends now. */
final class DeadLetters {
    private static final Duration POLL = Duration.ofMillis(200);

    private final Broker broker;

    DeadLetters(Broker broker) {
        this.broker = broker;
    }

    /** All that are still there, the oldest first. */
    List<ConsumerRecord<byte[], byte[]>> all() {
        try (KafkaConsumer<byte[], byte[]> consumer = broker.bytesConsumer()) {
            List<TopicPartition> partitions = broker.partitions(consumer, Topic.DEAD_LETTERS);
            consumer.assign(partitions);
            consumer.beginningOffsets(partitions).forEach(consumer::seek);
            Map<TopicPartition, Long> end = consumer.endOffsets(partitions);
            List<ConsumerRecord<byte[], byte[]>> all = new ArrayList<>();
            long heard = System.nanoTime();
            while (end.entrySet().stream().anyMatch(e -> consumer.position(e.getKey()) < e.getValue())) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                    all.add(record);
                    heard = System.nanoTime();
                }
                if (System.nanoTime() - heard > Installation.PATIENCE.toNanos()) {
                    throw new TimeoutException("no records of " + partitions + " came");
                }
            }
            all.sort(Comparator.comparingLong(ConsumerRecord::timestamp));
            return all;
        }
    }

    /** @throws UserException if one is not there */
    List<ConsumerRecord<byte[], byte[]>> named(List<String> ids) {
        ids.forEach(id -> {
            if (!id.matches("\\d{1,9}:\\d{1,18}")) {
                throw UserException.badInput(
                        "A dead letter is named PARTITION:OFFSET, as 'distillery dead-letters list' does, but not '"
                                + id + "'");
            }
        });
        List<ConsumerRecord<byte[], byte[]>> all = all();
        return ids.stream()
                .distinct()
                .map(id -> all.stream()
                        .filter(record -> DeadLetter.id(record).equals(id))
                        .findFirst()
                        .orElseThrow(() -> UserException.badInput("There is no dead letter " + id)))
                .toList();
    }
}
