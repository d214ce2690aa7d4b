package dev.distillery.dataingest.backlog;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import dev.distillery.events.ConsumerGroup;
import dev.distillery.events.Topic;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;

/**
 * How many records each consumer group has yet to take, whether anybody of it runs or not.
 *
 * @param waiting by group and topic
 * @param deadLetters records that are kept among the dead letters
 */
record Lags(Map<ConsumerGroup, Map<Topic, Long>> waiting, long deadLetters) {
    private static final long SECONDS = 20;

    /** @param prefix of the topics' names */
    static Lags ask(Admin admin, String prefix) throws ExecutionException, InterruptedException, TimeoutException {
        Map<Topic, List<TopicPartition>> partitions = partitions(admin, prefix);
        List<TopicPartition> all =
                partitions.values().stream().flatMap(List::stream).toList();
        Map<TopicPartition, Long> first = offsets(admin, all, OffsetSpec.earliest());
        Map<TopicPartition, Long> end = offsets(admin, all, OffsetSpec.latest());
        Map<ConsumerGroup, Map<Topic, Long>> waiting = new HashMap<>();
        for (ConsumerGroup group : ConsumerGroup.values()) {
            Map<TopicPartition, OffsetAndMetadata> taken = taken(admin, group);
            waiting.put(
                    group,
                    group.topics().stream()
                            .collect(Collectors.toMap(topic -> topic, topic -> partitions.get(topic).stream()
                                    .mapToLong(p -> {
                                        OffsetAndMetadata offset = taken.get(p);
                                        return end.get(p) - (offset == null ? first.get(p) : offset.offset());
                                    })
                                    .sum())));
        }
        long dead = partitions.get(Topic.DEAD_LETTERS).stream()
                .mapToLong(p -> end.get(p) - first.get(p))
                .sum();
        return new Lags(waiting, dead);
    }

    private static Map<Topic, List<TopicPartition>> partitions(Admin admin, String prefix)
            throws ExecutionException, InterruptedException, TimeoutException {
        List<String> names =
                Stream.of(Topic.values()).map(topic -> topic.topic(prefix)).toList();
        var found = wait(admin.describeTopics(names).allTopicNames());
        return Stream.of(Topic.values())
                .collect(Collectors.toMap(topic -> topic, topic -> found.get(topic.topic(prefix)).partitions().stream()
                        .map(p -> new TopicPartition(topic.topic(prefix), p.partition()))
                        .toList()));
    }

    private static Map<TopicPartition, Long> offsets(Admin admin, List<TopicPartition> partitions, OffsetSpec which)
            throws ExecutionException, InterruptedException, TimeoutException {
        var asked = partitions.stream().collect(Collectors.toMap(p -> p, p -> which));
        return wait(admin.listOffsets(asked).all()).entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey, entry -> entry.getValue().offset()));
    }

    /** A partition that the group has never committed is null or absent. */
    private static Map<TopicPartition, OffsetAndMetadata> taken(Admin admin, ConsumerGroup group)
            throws ExecutionException, InterruptedException, TimeoutException {
        return wait(admin.listConsumerGroupOffsets(group.id()).partitionsToOffsetAndMetadata());
    }

    private static <T> T wait(KafkaFuture<T> answer) throws ExecutionException, InterruptedException, TimeoutException {
        return answer.get(SECONDS, TimeUnit.SECONDS);
    }
}
