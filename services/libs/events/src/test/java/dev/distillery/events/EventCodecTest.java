package dev.distillery.events;

import java.nio.charset.StandardCharsets;
import java.util.List;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class EventCodecTest {

    private static final CheckpointSaved SAVED = new CheckpointSaved("r", 5, 1, true);
    private static final String JSON = "{\"run\":\"r\",\"step\":5,\"epoch\":1,\"last\":true}";

    @Test
    void shouldReadWhatItWrote() {
        // Given
        ConsumerRecord<String, byte[]> record = record(new String(EventJson.write(SAVED), StandardCharsets.UTF_8));
        EventCodec.headers(SAVED).forEach(record.headers()::add);

        // When
        CheckpointSaved read = EventCodec.read(record, CheckpointSaved.class);

        // Then
        assertThat(read).isEqualTo(SAVED);
        assertThat(EventCodec.type(record)).isEqualTo("dev.distillery.checkpoint-saved.v1");
    }

    @Test
    void shouldReadBareJson() {
        // When
        CheckpointSaved read = EventCodec.read(record(JSON), CheckpointSaved.class);

        // Then
        assertThat(read).isEqualTo(SAVED);
    }

    @Test
    void shouldReadStructuredMode() {
        // Given
        ConsumerRecord<String, byte[]> record = record("{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/x\","
                + "\"type\":\"dev.distillery.checkpoint-saved.v1\",\"data\":" + JSON + "}");
        record.headers().add("content-type", "application/cloudevents+json; charset=utf-8".getBytes());

        // When
        CheckpointSaved read = EventCodec.read(record, CheckpointSaved.class);

        // Then
        assertThat(read).isEqualTo(SAVED);
    }

    @Test
    void shouldRefuseAnotherTypeUnknownFieldsAndNoise() {
        // Given
        ConsumerRecord<String, byte[]> other = record(JSON);
        other.headers().add("ce_type", "dev.distillery.run-completed.v1".getBytes());

        for (ConsumerRecord<String, byte[]> wrong :
                List.of(other, record("{\"run\":\"r\",\"steep\":5}"), record("noise"), record("{}"))) {
            // When
            assertThatThrownBy(() -> EventCodec.read(wrong, CheckpointSaved.class))
                    // Then
                    .isInstanceOf(MalformedEventException.class);
        }
    }

    private static ConsumerRecord<String, byte[]> record(String value) {
        return new ConsumerRecord<>("t", 0, 0, "r", value.getBytes(StandardCharsets.UTF_8));
    }
}
