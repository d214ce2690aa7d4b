package dev.distillery.trainer;

import jakarta.enterprise.context.ApplicationScoped;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.events.EventCodec;
import dev.distillery.events.Excerpt;
import dev.distillery.events.MalformedEventException;
import dev.distillery.events.RunControl;
import dev.distillery.events.TrainRequest;
import io.smallrye.common.annotation.Blocking;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.eclipse.microprofile.reactive.messaging.Incoming;

/** Cancels, pauses, resumes and extends runs: notes it in the store, where whichever trainer has the run looks every second. */
@ApplicationScoped
class RunControlListener {

    private final ArtifactStore store;
    private final RunMarkers markers;
    private final RunQueue queue;
    private final RunEvents events;
    private final TrainerLoop loop;

    RunControlListener(ArtifactStore store, RunEvents events, TrainerLoop loop) {
        this.store = store;
        this.markers = new RunMarkers(store);
        this.queue = new RunQueue(store);
        this.events = events;
        this.loop = loop;
    }

    @Incoming("run-control")
    @Blocking
    void onControl(ConsumerRecord<String, byte[]> record) {
        RunControl control = EventCodec.read(record, RunControl.class);
        String run = control.run();
        switch (String.valueOf(control.action())) {
            case "cancel" -> markers.cancel(run);
            case "pause" -> pause(run);
            case "resume" -> resume(run);
            case "extend" -> extend(control);
            default ->
                throw refused("'action' must be cancel, pause, resume or extend but was '"
                        + Excerpt.of(control.action()) + "'");
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

    /**
     * A run that has ended waits in the queue again; one that has not goes on past the end that it has now. The trainer
     * looks for an extension after it has noted the end, and this looks for the end after it has noted the extension, so
     * that one of them sees the other's.
     */
    private void extend(RunControl control) {
        String run = control.run();
        markers.requireAccepted(run);
        TrainRequest.Train train = markers.request(run).train();
        boolean counted = train.steps() != null;
        int now = counted ? train.steps() : train.epochs();
        Integer asked = counted ? control.steps() : control.epochs();
        Integer other = counted ? control.epochs() : control.steps();
        if (asked == null || other != null || asked < now) {
            throw refused("'extend' of run '%s' takes '%s' alone, %d or more in all, but had epochs %s and steps %s"
                    .formatted(run, counted ? "steps" : "epochs", now, control.epochs(), control.steps()));
        }
        if (asked > now) {
            markers.extend(run, control.epochs(), control.steps());
            events.extended(run, control.epochs(), control.steps());
        }
        TrainRequest request = markers.request(run);
        markers.trained(run).filter(done -> !done.asFarAs(request)).ifPresent(done -> queue.add(done.data()));
    }

    private static MalformedEventException refused(String why) {
        return new MalformedEventException(why, null);
    }

    private void resume(String run) {
        if (markers.paused(run)) {
            markers.resume(run);
            events.resumed(run);
        }
    }
}
