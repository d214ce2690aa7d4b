package dev.distillery.events;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.UUID;

import com.fasterxml.jackson.databind.JsonNode;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;

/**
 * CloudEvents 1.0 on Kafka: written in binary mode (the payload is the record's value, the attributes are headers), read
 * in binary or structured mode, or as bare JSON without any envelope.
 *
 * @see <a href="https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md">the
 *     binding</a>
 */
public final class EventCodec {
    private static final String SOURCE = "/distillery";
    private static final String STRUCTURED = "application/cloudevents+json";

    private EventCodec() {}

    /** The headers of an event in binary mode. */
    public static Headers headers(Event event) {
        Headers headers = new RecordHeaders();
        add(headers, "ce_specversion", "1.0");
        add(headers, "ce_id", UUID.randomUUID().toString());
        add(headers, "ce_source", SOURCE);
        add(headers, "ce_type", Event.typeOf(event.getClass()));
        add(headers, "ce_subject", event.run());
        add(headers, "ce_time", Instant.now().toString());
        add(headers, "content-type", "application/json");
        return headers;
    }

    private static void add(Headers headers, String name, String value) {
        headers.add(name, value.getBytes(StandardCharsets.UTF_8));
    }

    /** The CloudEvents type of a record; null for bare JSON. */
    public static String type(ConsumerRecord<?, byte[]> record) {
        return structured(record) ? envelope(record).path("type").asText() : header(record, "ce_type");
    }

    /**
     * The event that a record carries.
     *
     * @throws MalformedEventException when it is something else
     * @throws InvalidRequestException when it is a train request with wrong fields
     */
    public static <E extends Event> E read(ConsumerRecord<?, byte[]> record, Class<E> expected) {
        if (record.value() == null) {
            throw new MalformedEventException("A record without a value", null);
        }
        String type = type(record);
        if (type != null && !type.equals(Event.typeOf(expected))) {
            throw new MalformedEventException(
                    "An event of type '" + type + "' where '" + Event.typeOf(expected) + "' belongs", null);
        }
        byte[] payload = structured(record)
                ? envelope(record).path("data").toString().getBytes(StandardCharsets.UTF_8)
                : record.value();
        return EventJson.read(payload, expected);
    }

    private static boolean structured(ConsumerRecord<?, byte[]> record) {
        String contentType = header(record, "content-type");
        return contentType != null && contentType.startsWith(STRUCTURED);
    }

    private static JsonNode envelope(ConsumerRecord<?, byte[]> record) {
        try {
            return EventJson.MAPPER.readTree(record.value());
        } catch (IOException e) {
            throw new MalformedEventException("A structured CloudEvent that is not JSON: " + e.getMessage(), e);
        }
    }

    private static String header(ConsumerRecord<?, byte[]> record, String name) {
        Header header = record.headers().lastHeader(name);
        return header == null || header.value() == null ? null : new String(header.value(), StandardCharsets.UTF_8);
    }
}
