package dev.distillery.dataingest;

import java.io.IOException;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.events.Excerpt;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** Whom an answer is for when a record is no valid request. */
final class RunNames {
    private static final String UNKNOWN = "unknown";

    private RunNames() {}

    /**
     * The request's own {@code run}, bare or in an envelope; else the record's key; else {@code unknown}. It need not be a run's
     * name, but it is short and of one line.
     */
    static String of(ConsumerRecord<String, byte[]> record) {
        String inside = inside(record.value());
        if (!inside.isBlank()) {
            return printable(inside);
        }
        return record.key() == null || record.key().isBlank() ? UNKNOWN : printable(record.key());
    }

    private static String printable(String name) {
        return Excerpt.of(name).replaceAll("\\p{C}", "?");
    }

    private static String inside(byte[] value) {
        try {
            JsonNode request = value == null ? null : new ObjectMapper().readTree(value);
            if (request == null) {
                return "";
            }
            return request.path("run").asText(request.path("data").path("run").asText(""));
        } catch (IOException e) {
            return "";
        }
    }
}
