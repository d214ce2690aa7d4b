package dev.distillery.standalone.installation;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.StreamSupport;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.distillery.standalone.console.UserException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;

/**
 * A record that a service could not do anything with.
 *
 * @param id {@code PARTITION:OFFSET} among the dead letters
 * @param topic that it came from; null if it does not say, as is what follows
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record DeadLetter(
        String id,
        String time,
        String topic,
        Integer partition,
        Long offset,
        String key,
        String reason,
        String cause,
        Map<String, String> headers,
        String value) {
    private static final String PREFIX = "dead-letter-";

    static DeadLetter of(ConsumerRecord<byte[], byte[]> record) {
        String partition = header(record, "partition");
        String offset = header(record, "offset");
        Map<String, String> own = new TreeMap<>();
        record.headers().forEach(header -> {
            if (!header.key().startsWith(PREFIX)) {
                own.put(header.key(), text(header.value()));
            }
        });
        return new DeadLetter(
                id(record),
                Instant.ofEpochMilli(record.timestamp()).toString(),
                header(record, "topic"),
                partition == null ? null : Integer.valueOf(partition),
                offset == null ? null : Long.valueOf(offset),
                text(record.key()),
                header(record, "reason"),
                header(record, "cause"),
                own,
                text(record.value()));
    }

    static String id(ConsumerRecord<?, ?> record) {
        return record.partition() + ":" + record.offset();
    }

    /** As it was where it came from. A record without a key goes to the partition that it had. */
    static ProducerRecord<byte[], byte[]> original(ConsumerRecord<byte[], byte[]> record, Broker broker) {
        String topic = header(record, "topic");
        if (topic == null || !broker.owns(topic)) {
            throw UserException.failed(
                    "Dead letter " + id(record) + " cannot be replayed: it came from "
                            + (topic == null
                                    ? "nowhere that it tells"
                                    : "'" + topic + "', no topic of this installation"),
                    null);
        }
        String partition = record.key() == null ? header(record, "partition") : null;
        return new ProducerRecord<>(
                topic,
                partition == null ? null : Integer.valueOf(partition),
                record.key(),
                record.value(),
                StreamSupport.stream(record.headers().spliterator(), false)
                        .filter(header -> !header.key().startsWith(PREFIX))
                        .toList());
    }

    private static String header(ConsumerRecord<?, ?> record, String name) {
        Header header = record.headers().lastHeader(PREFIX + name);
        return header == null ? null : text(header.value());
    }

    private static String text(byte[] bytes) {
        return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
    }
}
