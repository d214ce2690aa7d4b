package dev.distillery.trainer;

import jakarta.enterprise.context.ApplicationScoped;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.events.EventCodec;
import dev.distillery.events.MalformedEventException;
import dev.distillery.events.RunControl;
import io.smallrye.common.annotation.Blocking;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.eclipse.microprofile.reactive.messaging.Incoming;

/** Cancels runs: notes it in the store, where whichever trainer has the run looks every second. */
@ApplicationScoped
class RunControlListener {

    private static final String CANCEL = "cancel";

    private final RunMarkers markers;
    private final TrainerLoop loop;

    RunControlListener(ArtifactStore store, TrainerLoop loop) {
        this.markers = new RunMarkers(store);
        this.loop = loop;
    }

    @Incoming("run-control")
    @Blocking
    void onControl(ConsumerRecord<String, byte[]> record) {
        RunControl control = EventCodec.read(record, RunControl.class);
        if (!CANCEL.equals(control.action())) {
            throw new MalformedEventException("'action' must be cancel but was '" + control.action() + "'", null);
        }
        markers.cancel(control.run());
        loop.wake();
    }
}
