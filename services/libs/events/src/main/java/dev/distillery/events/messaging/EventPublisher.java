package dev.distillery.events.messaging;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

import jakarta.enterprise.context.ApplicationScoped;

import dev.distillery.events.Event;
import dev.distillery.events.EventCodec;
import dev.distillery.events.EventJson;
import dev.distillery.events.Topic;
import io.opentelemetry.context.Context;
import io.smallrye.reactive.messaging.TracingMetadata;
import io.smallrye.reactive.messaging.kafka.api.OutgoingKafkaRecordMetadata;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.eclipse.microprofile.reactive.messaging.Channel;
import org.eclipse.microprofile.reactive.messaging.Emitter;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.eclipse.microprofile.reactive.messaging.OnOverflow;

/** Writes events to their topics over the one outgoing channel {@code events}; the topic is set record by record. */
@ApplicationScoped
public class EventPublisher {

    private final Emitter<byte[]> emitter;
    private final jakarta.enterprise.event.Event<Published> published;
    private final String prefix;

    EventPublisher(
            @Channel("events") @OnOverflow(OnOverflow.Strategy.UNBOUNDED_BUFFER) Emitter<byte[]> emitter,
            jakarta.enterprise.event.Event<Published> published,
            @ConfigProperty(name = "distillery.topics.prefix", defaultValue = Topic.DEFAULT_PREFIX) String prefix) {
        this.emitter = emitter;
        this.published = published;
        this.prefix = prefix;
    }

    /** Completes when the broker has the event; events with the same key stay in order. */
    public CompletionStage<Void> publish(Topic topic, String key, Event event) {
        CompletableFuture<Void> durable = new CompletableFuture<>();
        OutgoingKafkaRecordMetadata<String> metadata = OutgoingKafkaRecordMetadata.<String>builder()
                .withTopic(topic.topic(prefix))
                .withKey(key)
                .withHeaders(EventCodec.headers(event))
                .build();
        emitter.send(Message.of(EventJson.write(event))
                .addMetadata(metadata)
                .addMetadata(TracingMetadata.withCurrent(Context.current()))
                .withAck(() -> {
                    published.fire(new Published(topic, event));
                    durable.complete(null);
                    return CompletableFuture.completedFuture(null);
                })
                .withNack(failure -> {
                    durable.completeExceptionally(failure);
                    return CompletableFuture.completedFuture(null);
                }));
        return durable;
    }

    /** As {@link #publish}, returning when the broker has the event; not for an event loop's thread. */
    public void publishAndWait(Topic topic, String key, Event event) {
        try {
            publish(topic, key, event).toCompletableFuture().join();
        } catch (CompletionException e) {
            throw new IllegalStateException(
                    "The event was not published: topic=" + topic.channel() + " run=" + event.run(), e.getCause());
        }
    }
}
