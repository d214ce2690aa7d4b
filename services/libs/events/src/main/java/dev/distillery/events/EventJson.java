package dev.distillery.events;

import java.io.IOException;
import java.nio.charset.StandardCharsets;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;

/** Payloads as JSON: camel case, no unknown fields. */
public final class EventJson {
    static final ObjectMapper MAPPER = new ObjectMapper()
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT);

    private EventJson() {}

    public static byte[] write(Event event) {
        try {
            return MAPPER.writeValueAsBytes(event);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * A payload; a train or evaluate request is checked and completed with its defaults.
     *
     * @throws MalformedEventException when it is not this event
     * @throws InvalidRequestException when it is such a request with wrong fields
     */
    public static <E extends Event> E read(byte[] json, Class<E> type) {
        if (type == TrainRequest.class) {
            return type.cast(TrainRequest.parse(json));
        }
        if (type == EvaluateRequest.class) {
            return type.cast(TrainRequests.parseEvaluate(new String(json, StandardCharsets.UTF_8)));
        }
        try {
            E event = MAPPER.readValue(json, type);
            if (event == null || event.run() == null || event.run().isEmpty()) {
                throw new MalformedEventException("A " + type.getSimpleName() + " without 'run'", null);
            }
            if (type != RunRejected.class && !TrainRequestRules.isRun(event.run())) { // whose name may be the reason
                throw new MalformedEventException(
                        "'run' must be " + TrainRequestRules.A_RUN + " but was '" + Excerpt.of(event.run()) + "'",
                        null);
            }
            return event;
        } catch (IOException e) {
            throw new MalformedEventException("Not a " + type.getSimpleName() + ": " + e.getMessage(), e);
        }
    }
}
