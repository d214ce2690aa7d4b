package dev.distillery.trainer;

import jakarta.enterprise.context.ApplicationScoped;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.events.DatasetEncoded;
import dev.distillery.events.EventCodec;
import io.smallrye.common.annotation.Blocking;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.eclipse.microprofile.reactive.messaging.Incoming;

/**
 * Puts runs whose data is ready into the queue. The record is acknowledged when the queue has the run, long before it is
 * trained; one that is not this event, or of a run that nobody requested, goes to the dead letters. A repeated event finds its run waiting, or trained and
 * then only makes the trainer say so again.
 */
@ApplicationScoped
class DatasetsEncodedListener {

    private final RunQueue queue;
    private final RunMarkers markers;
    private final TrainerLoop loop;
    private final RunTraces traces;

    DatasetsEncodedListener(ArtifactStore store, TrainerLoop loop, RunTraces traces) {
        this.traces = traces;
        this.queue = new RunQueue(store);
        this.markers = new RunMarkers(store);
        this.loop = loop;
    }

    @Incoming("datasets-encoded")
    @Blocking
    void onEncoded(ConsumerRecord<String, byte[]> record) {
        DatasetEncoded run = EventCodec.read(record, DatasetEncoded.class);
        markers.requireAccepted(run.run());
        traces.queued(run.run());
        queue.add(run);
        loop.wake();
    }
}
