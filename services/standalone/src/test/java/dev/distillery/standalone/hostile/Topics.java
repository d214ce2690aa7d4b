package dev.distillery.standalone.hostile;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

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

/** Sends whatever it is told to, and keeps all that the services answer. */
final class Topics implements AutoCloseable {
    private final KafkaProducer<String, byte[]> producer;
    private final KafkaConsumer<String, byte[]> consumer;
    private final List<ConsumerRecord<String, byte[]>> answers = new ArrayList<>();

    Topics(String servers) {
        producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", servers, "max.request.size", 32 << 20, "buffer.memory", 64 << 20),
                new StringSerializer(),
                new ByteArraySerializer());
        consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", servers), new StringDeserializer(), new ByteArrayDeserializer());
        List<TopicPartition> partitions = List.of(Topic.RUN_EVENTS, Topic.DEAD_LETTERS).stream()
                .flatMap(topic -> consumer.partitionsFor(topic.topic(Topic.DEFAULT_PREFIX)).stream())
                .map(p -> new TopicPartition(p.topic(), p.partition()))
                .toList();
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
    }

    void send(ProducerRecord<String, byte[]> record) throws Exception {
        producer.send(record).get();
    }

    /** How many answers there were so far. */
    int mark() {
        poll(Duration.ZERO);
        return answers.size();
    }

    /** The first answer since a mark that is such; empty when there is none in time. */
    Optional<ConsumerRecord<String, byte[]>> await(
            int mark, Duration time, Predicate<ConsumerRecord<String, byte[]>> such) {
        long deadline = System.nanoTime() + time.toNanos();
        int looked = mark;
        while (true) {
            for (; looked < answers.size(); looked++) {
                if (such.test(answers.get(looked))) {
                    return Optional.of(answers.get(looked));
                }
            }
            if (System.nanoTime() > deadline) {
                return Optional.empty();
            }
            poll(Duration.ofMillis(200));
        }
    }

    private void poll(Duration time) {
        consumer.poll(time).forEach(answers::add);
    }

    /** Since a mark, for people. */
    String told(int mark) {
        return String.join(
                "\n",
                answers.subList(mark, answers.size()).stream().map(Topics::told).toList());
    }

    static String told(ConsumerRecord<String, byte[]> answer) {
        var text = new StringBuilder();
        if (answer.topic().equals(Topic.DEAD_LETTERS.topic(Topic.DEFAULT_PREFIX))) {
            text.append("dead letter");
            answer.headers()
                    .forEach(h -> text.append(" | ").append(h.key()).append('=').append(value(h.value())));
        } else {
            text.append(EventCodec.type(answer).replaceAll("dev\\.distillery\\.|\\.v1", ""))
                    .append(' ')
                    .append(value(answer.value()));
        }
        return text.toString();
    }

    private static String value(byte[] value) {
        return value == null ? "null" : new String(value);
    }

    List<ConsumerRecord<String, byte[]>> answers() {
        poll(Duration.ofMillis(500));
        return answers;
    }

    @Override
    public void close() {
        producer.close();
        consumer.close();
    }
}
