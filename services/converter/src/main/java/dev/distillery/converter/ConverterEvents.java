package dev.distillery.converter;

import jakarta.enterprise.context.ApplicationScoped;

import dev.distillery.events.ModelConverted;
import dev.distillery.events.RunEvent;
import dev.distillery.events.RunFailed;
import dev.distillery.events.Topic;
import dev.distillery.events.messaging.EventPublisher;

/** What the converter says, and on which topics. */
@ApplicationScoped
class ConverterEvents {

    private final EventPublisher publisher;

    ConverterEvents(EventPublisher publisher) {
        this.publisher = publisher;
    }

    void converted(ModelConverted model) {
        publisher.publishAndWait(Topic.MODELS_CONVERTED, model.run(), model);
        tell(model);
    }

    void failed(String run, Exception failure, String advice) {
        tell(RunFailed.because(failure, run, Converter.STAGE, advice));
    }

    void tell(RunEvent event) {
        publisher.publishAndWait(Topic.RUN_EVENTS, event.run(), event);
    }
}
