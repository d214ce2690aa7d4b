package dev.distillery.trainer;

import jakarta.enterprise.context.ApplicationScoped;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.events.EventCodec;
import dev.distillery.events.MalformedEventException;
import dev.distillery.events.RunControl;
import io.smallrye.common.annotation.Blocking;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.eclipse.microprofile.reactive.messaging.Incoming;

/** Cancels, pauses and resumes runs: notes it in the store, where whichever trainer has the run looks every second. */
@ApplicationScoped
class RunControlListener {

    private final ArtifactStore store;
    private final RunMarkers markers;
    private final RunEvents events;
    private final TrainerLoop loop;

    RunControlListener(ArtifactStore store, RunEvents events, TrainerLoop loop) {
        this.store = store;
        this.markers = new RunMarkers(store);
        this.events = events;
        this.loop = loop;
    }

    @Incoming("run-control")
    @Blocking
    void onControl(ConsumerRecord<String, byte[]> record) {
        RunControl control = EventCodec.read(record, RunControl.class);
        String run = control.run();
        switch (control.action()) {
            case "cancel" -> markers.cancel(run);
            case "pause" -> pause(run);
            case "resume" -> resume(run);
            default ->
                throw new MalformedEventException(
                        "'action' must be cancel, pause or resume but was '" + control.action() + "'", null);
        }
        loop.wake();
    }

    /** A run that is being trained is paused by its trainer, which says so when it has. */
    private void pause(String run) {
        markers.pause(run);
        if (store.stat(Keys.lease(run)).isEmpty()) {
            events.paused(run, null);
        }
    }

    private void resume(String run) {
        if (markers.paused(run)) {
            markers.resume(run);
            events.resumed(run);
        }
    }
}
