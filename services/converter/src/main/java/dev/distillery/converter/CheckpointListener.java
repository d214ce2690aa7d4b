package dev.distillery.converter;

import jakarta.enterprise.context.ApplicationScoped;

import dev.distillery.artifacts.ArtifactCorruptException;
import dev.distillery.artifacts.ArtifactMissingException;
import dev.distillery.events.CheckpointSaved;
import dev.distillery.events.EventCodec;
import dev.distillery.events.ModelConverted;
import dev.distillery.monitoring.LogContext;
import io.smallrye.common.annotation.Blocking;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.eclipse.microprofile.reactive.messaging.Incoming;
import org.jboss.logging.Logger;

/**
 * Finishes runs: converts the last checkpoint, writes the report, says that the run is complete. Acknowledged when all of
 * that is done; a repeated event finds it done and says so again. A run that asks for its student's scores is complete with
 * these, see {@link EvaluatedListener}. Checkpoints that are not the last pass by.
 */
@ApplicationScoped
class CheckpointListener {

    private static final Logger LOG = Logger.getLogger(CheckpointListener.class);

    private final Converter converter;
    private final ConverterEvents events;
    private final ConvertMeters meters;

    CheckpointListener(Converter converter, ConverterEvents events, ConvertMeters meters) {
        this.meters = meters;
        this.converter = converter;
        this.events = events;
    }

    @Incoming("checkpoints")
    @Blocking
    void onCheckpoint(ConsumerRecord<String, byte[]> record) {
        CheckpointSaved checkpoint = EventCodec.read(record, CheckpointSaved.class);
        if (!checkpoint.last()) {
            return;
        }
        try (LogContext context = LogContext.of(checkpoint.run(), Converter.STAGE)) {
            finish(checkpoint);
        }
    }

    private void finish(CheckpointSaved checkpoint) {
        try {
            ModelConverted model = meters.timed(() -> converter.convertLast(checkpoint));
            boolean awaitsScores = converter.awaitsScores(checkpoint); // once it is told, they may come at any time
            events.converted(model);
            if (!awaitsScores) {
                events.tell(converter.complete(checkpoint.run()));
            }
        } catch (ArtifactMissingException | ArtifactCorruptException | IllegalArgumentException e) {
            LOG.warnf(e, "Run not converted: run=%s step=%d", checkpoint.run(), checkpoint.step());
            events.failed(
                    checkpoint.run(),
                    e,
                    "The checkpoints are kept: submit the request again, or send a convert request with another dtype.");
        } catch (RuntimeException e) {
            events.failed(checkpoint.run(), e, "See the converter's log; the checkpoints are kept.");
            throw e; // what nobody foresaw goes to the dead letters too
        }
    }
}
