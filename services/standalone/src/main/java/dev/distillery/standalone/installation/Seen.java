package dev.distillery.standalone.installation;

import java.time.Instant;
import java.util.Optional;

import dev.distillery.events.Event;
import dev.distillery.events.EventCodec;
import dev.distillery.events.InvalidRequestException;
import dev.distillery.events.MalformedEventException;
import dev.distillery.events.RunEvent;
import dev.distillery.events.StageProgress;
import dev.distillery.events.TrainingProgress;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * An event of a run as it lies in its topic.
 *
 * @param at when it was published
 */
public record Seen(RunEvent event, Instant at) {

    /** Empty for what this version does not know: a newer service may say more. */
    static Optional<Seen> of(ConsumerRecord<?, byte[]> record) {
        try {
            String type = EventCodec.type(record);
            for (Class<?> known : RunEvent.class.getPermittedSubclasses()) {
                Class<? extends RunEvent> event = known.asSubclass(RunEvent.class);
                if (Event.typeOf(event).equals(type)) {
                    return Optional.of(
                            new Seen(EventCodec.read(record, event), Instant.ofEpochMilli(record.timestamp())));
                }
            }
            return Optional.empty();
        } catch (MalformedEventException | InvalidRequestException e) {
            return Optional.empty();
        }
    }

    /** Of which only the last one counts. */
    boolean isProgress() {
        return event instanceof StageProgress || event instanceof TrainingProgress;
    }

    /** {@code training-progress} and so on, as CloudEvents' type has it. */
    String name() {
        return Event.typeOf(event.getClass()).replaceAll("dev\\.distillery\\.|\\.v1", "");
    }
}
