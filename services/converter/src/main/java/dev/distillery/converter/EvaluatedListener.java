package dev.distillery.converter;

import jakarta.enterprise.context.ApplicationScoped;

import dev.distillery.events.EvaluateRequest;
import dev.distillery.events.EvaluationFailed;
import dev.distillery.events.Event;
import dev.distillery.events.EventCodec;
import dev.distillery.events.ModelEvaluated;
import dev.distillery.events.RunCompleted;
import dev.distillery.monitoring.LogContext;
import io.smallrye.common.annotation.Blocking;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.eclipse.microprofile.reactive.messaging.Incoming;

/**
 * Shows a student's scores on its run's page and card, and completes a run that waited for them: with the weights alone if they
 * could not be found.
 */
@ApplicationScoped
class EvaluatedListener {

    private final Converter converter;
    private final ConverterEvents events;

    EvaluatedListener(Converter converter, ConverterEvents events) {
        this.converter = converter;
        this.events = events;
    }

    @Incoming("models-evaluated")
    @Blocking
    void onEvaluated(ConsumerRecord<String, byte[]> record) {
        if (Event.typeOf(EvaluationFailed.class).equals(EventCodec.type(record))) {
            EvaluationFailed failed = EventCodec.read(record, EvaluationFailed.class);
            if (EvaluateRequest.isOfTrainRequest(failed.name())) {
                end(failed.run(), failed.name());
            }
            return;
        }
        ModelEvaluated scores = EventCodec.read(record, ModelEvaluated.class);
        try (LogContext context = LogContext.of(scores.run(), Converter.STAGE)) {
            converter.rewriteCard(scores.run());
        }
        end(scores.run(), scores.name());
    }

    /** Writes the page, and says that the run is complete if it waited for this evaluation. */
    private void end(String run, String evaluation) {
        try (LogContext context = LogContext.of(run, Converter.STAGE)) {
            RunCompleted complete = converter.complete(run);
            if (EvaluateRequest.isOfTrainRequest(evaluation)) {
                events.tell(complete);
            }
        }
    }
}
