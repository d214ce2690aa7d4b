package dev.distillery.converter;

import jakarta.enterprise.context.ApplicationScoped;

import dev.distillery.events.ConvertRequest;
import dev.distillery.events.EventCodec;
import dev.distillery.monitoring.LogContext;
import io.smallrye.common.annotation.Blocking;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.eclipse.microprofile.reactive.messaging.Incoming;

/**
 * Converts any checkpoint on request. A request that cannot be done (no such run, an incomplete checkpoint, an unknown
 * dtype) goes to the dead letters with the reason in its headers.
 */
@ApplicationScoped
class ConvertRequestListener {

    private final Converter converter;
    private final ConverterEvents events;
    private final ConvertMeters meters;

    ConvertRequestListener(Converter converter, ConverterEvents events, ConvertMeters meters) {
        this.meters = meters;
        this.converter = converter;
        this.events = events;
    }

    @Incoming("convert-requests")
    @Blocking
    void onRequest(ConsumerRecord<String, byte[]> record) {
        ConvertRequest request = EventCodec.read(record, ConvertRequest.class);
        try (LogContext context = LogContext.of(request.run(), Converter.STAGE)) {
            events.converted(meters.timed(() -> converter.convert(request)));
        }
    }
}
