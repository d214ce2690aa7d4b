package dev.distillery.events.messaging;

import java.util.function.BiConsumer;

import jakarta.enterprise.context.ApplicationScoped;

import io.smallrye.common.annotation.Identifier;
import io.smallrye.mutiny.Uni;
import io.smallrye.reactive.messaging.kafka.IncomingKafkaRecord;
import io.smallrye.reactive.messaging.kafka.KafkaConnectorIncomingConfiguration;
import io.smallrye.reactive.messaging.kafka.KafkaConsumer;
import io.smallrye.reactive.messaging.kafka.fault.KafkaFailureHandler;
import io.vertx.mutiny.core.Vertx;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.eclipse.microprofile.reactive.messaging.Metadata;
import org.jboss.logging.Logger;

/**
 * The failure strategy {@code dead-letters}: SmallRye's {@code dead-letter-queue}, but for a record that is as large as the broker
 * takes. With the reason in its headers it is too large to be kept, and SmallRye would stop the channel, at every start anew: one
 * such record from anybody would end the service. It is passed over, and the log says where it lies.
 */
@ApplicationScoped
@Identifier("dead-letters")
class DeadLetters implements KafkaFailureHandler.Factory {
    private static final Logger LOG = Logger.getLogger(DeadLetters.class);

    private final KafkaFailureHandler.Factory queue;

    DeadLetters(@Identifier("dead-letter-queue") KafkaFailureHandler.Factory queue) {
        this.queue = queue;
    }

    @Override
    public KafkaFailureHandler create(
            KafkaConnectorIncomingConfiguration config,
            Vertx vertx,
            KafkaConsumer<?, ?> consumer,
            BiConsumer<Throwable, Boolean> stop) {
        KafkaFailureHandler kept = queue.create(config, vertx, consumer, (failure, fatal) -> {
            if (!isTooLarge(failure)) {
                stop.accept(failure, fatal);
            }
        });
        return new Handler(kept);
    }

    private static boolean isTooLarge(Throwable failure) {
        return failure instanceof RecordTooLargeException || failure.getCause() instanceof RecordTooLargeException;
    }

    private record Handler(KafkaFailureHandler kept) implements KafkaFailureHandler {
        @Override
        public <K, V> Uni<Void> handle(IncomingKafkaRecord<K, V> record, Throwable reason, Metadata metadata) {
            return kept.handle(record, reason, metadata)
                    .onFailure(DeadLetters::isTooLarge)
                    .recoverWithUni(failure -> {
                        LOG.errorf(
                                "Too large for the dead letters, passed over: topic=%s partition=%d offset=%d",
                                record.getTopic(), record.getPartition(), record.getOffset());
                        return Uni.createFrom().completionStage(record.ack());
                    });
        }

        @Override
        public void terminate() {
            kept.terminate();
        }
    }
}
