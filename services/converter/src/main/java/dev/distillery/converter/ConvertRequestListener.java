package dev.distillery.converter;

import java.util.List;

import jakarta.enterprise.context.ApplicationScoped;

import dev.distillery.events.ConvertRequest;
import dev.distillery.events.EventCodec;
import dev.distillery.events.MalformedEventException;
import io.smallrye.common.annotation.Blocking;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.eclipse.microprofile.reactive.messaging.Incoming;

/**
 * Converts any checkpoint on request. A request that cannot be done (no such run, an incomplete checkpoint, an unknown
 * dtype) goes to the dead letters with the reason in its headers.
 */
@ApplicationScoped
class ConvertRequestListener {

    private static final List<String> SUPPORTED = List.of("unet", "pipeline", "single-file");

    private final Converter converter;
    private final ConverterEvents events;

    ConvertRequestListener(Converter converter, ConverterEvents events) {
        this.converter = converter;
        this.events = events;
    }

    @Incoming("convert-requests")
    @Blocking
    void onRequest(ConsumerRecord<String, byte[]> record) {
        ConvertRequest request = EventCodec.read(record, ConvertRequest.class);
        if (request.save() != null && !SUPPORTED.containsAll(request.save())) {
            throw new MalformedEventException("'save' must be of " + SUPPORTED + " but was " + request.save(), null);
        }
        events.converted(converter.convert(request));
    }
}
