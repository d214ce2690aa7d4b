package dev.distillery.evaluator;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.Set;

import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.LocalCopies;
import dev.distillery.events.EvaluateRequest;
import dev.distillery.events.EvaluationFailed;
import dev.distillery.events.EvaluationPart;
import dev.distillery.events.EventCodec;
import dev.distillery.events.ModelConverted;
import dev.distillery.events.Topic;
import dev.distillery.events.TrainRequest;
import dev.distillery.events.messaging.EventPublisher;
import dev.distillery.monitoring.LogContext;
import io.smallrye.common.annotation.Blocking;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.eclipse.microprofile.reactive.messaging.Incoming;

/**
 * Takes requests, converted students whose train request asks for their scores, and parts. What cannot be done is told among
 * the run's events and goes to the dead letters, from where it can be sent again.
 */
@ApplicationScoped
class EvaluationListener {
    private final EventPublisher publisher;
    private final ArtifactStore store;
    private final EvaluateMeters meters;
    private final Evaluate evaluate;

    EvaluationListener(
            EventPublisher publisher,
            ArtifactStore store,
            LocalCopies copies,
            EvaluateMeters meters,
            @ConfigProperty(name = "distillery.evaluator.programs") Optional<Set<String>> programs) {
        this.publisher = publisher;
        this.store = store;
        this.meters = meters;
        this.evaluate = new Evaluate(store, copies, publisher::publishAndWait, meters, programs.orElse(Set.of()));
    }

    @Incoming("evaluate-requests")
    @Blocking
    void onRequest(ConsumerRecord<String, byte[]> record) {
        plan(EventCodec.read(record, EvaluateRequest.class)); // if it is none: to the dead letters
    }

    @Incoming("models-converted")
    @Blocking
    void onConverted(ConsumerRecord<String, byte[]> record) {
        ModelConverted model = EventCodec.read(record, ModelConverted.class);
        if (!model.prefix().equals(Keys.runModel(model.run()))) {
            return; // another type or step, converted on request
        }
        TrainRequest.Evaluate wanted =
                TrainRequest.parse(store.read(Keys.request(model.run()))).evaluate();
        if (wanted.images() > 0) {
            plan(new EvaluateRequest(model.run(), EvaluateRequest.nameOf(model.step()), wanted));
        }
    }

    @Incoming("evaluation-parts")
    @Blocking
    void onPart(ConsumerRecord<String, byte[]> record) {
        EvaluationPart part = EventCodec.read(record, EvaluationPart.class);
        try (LogContext context = LogContext.of(part.run(), Evaluate.STAGE, part.part())) {
            told(part.run(), part.name(), () -> evaluate.part(part));
        }
    }

    private void plan(EvaluateRequest request) {
        try (LogContext context = LogContext.of(request.run(), Evaluate.STAGE)) {
            told(request.run(), request.name(), () -> evaluate.request(request));
        }
    }

    private interface Work {
        void run() throws IOException;
    }

    private void told(String run, String name, Work work) {
        try {
            work.run();
        } catch (IOException e) {
            tell(run, name, e);
            throw new UncheckedIOException(e.getMessage(), e);
        } catch (RuntimeException e) {
            tell(run, name, e);
            throw e;
        }
    }

    private void tell(String run, String name, Exception failure) {
        meters.failed();
        var failed = EvaluationFailed.because(
                failure,
                run,
                name,
                "Mend what is said, then send the dead letter again: distillery dead-letters replay.");
        publisher.publishAndWait(Topic.RUN_EVENTS, run, failed);
        publisher.publishAndWait(Topic.MODELS_EVALUATED, run, failed); // a run that waits for it ends without
    }

    @PreDestroy
    void close() {
        evaluate.close();
    }
}
