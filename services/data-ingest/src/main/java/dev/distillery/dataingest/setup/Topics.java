package dev.distillery.dataingest.setup;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;

import dev.distillery.events.ConsumerGroup;
import dev.distillery.events.Topic;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownMemberIdException;

/** The topics of an installation, and first offsets of the groups: autoscalers see no lag of a group that has none. */
final class Topics implements AutoCloseable {
    private static final String DEAD_LETTERS_KEPT = String.valueOf(30L * 24 * 3600 * 1000);

    private final Admin admin;
    private final String prefix;
    private final String servers;

    /**
     * @param client settings of Kafka clients
     * @param prefix of the topics' names
     * @param patience unless the settings say otherwise
     */
    Topics(Map<String, String> client, String prefix, Duration patience) throws SetupException {
        Map<String, Object> settings = new HashMap<>(client);
        settings.putIfAbsent(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, String.valueOf(patience.toMillis()));
        settings.putIfAbsent(
                AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG,
                settings.get(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG));
        this.servers = client.get(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG);
        this.prefix = prefix;
        try {
            this.admin = Admin.create(settings);
        } catch (KafkaException e) {
            throw refused(e.getCause() == null ? e : e.getCause());
        }
    }

    private interface Question<T> {
        T ask() throws ExecutionException, InterruptedException;
    }

    /**
     * Makes what is not there; topics that are there stay as they are.
     *
     * @param partitions of each topic
     * @param replicas of each partition; the broker's default if empty
     * @return names of the topics that were made
     */
    List<String> make(int partitions, Optional<Short> replicas) throws SetupException {
        List<String> missing = missing();
        List<NewTopic> topics = missing.stream()
                .map(name -> new NewTopic(name, Optional.of(partitions), replicas)
                        .configs(
                                name.equals(Topic.DEAD_LETTERS.topic(prefix))
                                        ? Map.of(TopicConfig.RETENTION_MS_CONFIG, DEAD_LETTERS_KEPT)
                                        : Map.of()))
                .toList();
        try {
            answered(() -> admin.createTopics(topics).all().get());
        } catch (TopicExistsException e) {
            return make(partitions, replicas); // another was quicker with some
        }
        for (ConsumerGroup group : ConsumerGroup.values()) {
            begin(group);
        }
        return missing;
    }

    /** @return names of the topics that are not there */
    List<String> missing() throws SetupException {
        Set<String> there = answered(() -> admin.listTopics().names().get());
        return Stream.of(Topic.values())
                .map(topic -> topic.topic(prefix))
                .filter(name -> !there.contains(name))
                .toList();
    }

    /** Lets a group that has read nothing begin at the beginning. */
    private void begin(ConsumerGroup group) throws SetupException {
        List<String> names =
                group.topics().stream().map(topic -> topic.topic(prefix)).toList();
        List<TopicPartition> partitions = new ArrayList<>();
        answered(() -> admin.describeTopics(names).allTopicNames().get()).forEach((name, topic) -> topic.partitions()
                .forEach(p -> partitions.add(new TopicPartition(name, p.partition()))));
        Map<TopicPartition, OffsetAndMetadata> taken = answered(() -> admin.listConsumerGroupOffsets(group.id())
                .partitionsToOffsetAndMetadata()
                .get());
        Map<TopicPartition, OffsetAndMetadata> first = new HashMap<>();
        partitions.stream().filter(p -> taken.get(p) == null).forEach(p -> first.put(p, new OffsetAndMetadata(0)));
        if (!first.isEmpty()) {
            try {
                answered(() ->
                        admin.alterConsumerGroupOffsets(group.id(), first).all().get());
            } catch (GroupNotEmptyException | UnknownMemberIdException e) {
                // it has members, who see to its offsets
            }
        }
    }

    private <T> T answered(Question<T> question) throws SetupException {
        try {
            return question.ask();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof TopicExistsException
                    || e.getCause() instanceof GroupNotEmptyException
                    || e.getCause() instanceof UnknownMemberIdException) {
                throw (ApiException) e.getCause();
            }
            throw refused(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw refused(e);
        }
    }

    private SetupException refused(Throwable e) {
        return new SetupException("Kafka at " + servers + ": " + e.getClass().getSimpleName() + ": " + e.getMessage()
                + "; check kafka.bootstrap.servers, kafka.security.protocol, kafka.sasl.* and kafka.ssl.*");
    }

    @Override
    public void close() {
        admin.close();
    }
}
