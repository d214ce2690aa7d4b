package dev.distillery.trainer;

import java.util.List;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.events.DatasetEncoded;
import dev.distillery.events.EventJson;

/**
 * Runs that wait for a trainer, as objects {@code queue/<run>.json}: what keeps a run when its Kafka record has long been
 * acknowledged. An entry leaves when its run has ended.
 */
final class RunQueue {

    private final ArtifactStore store;

    RunQueue(ArtifactStore store) {
        this.store = store;
    }

    /** Does nothing when the run waits already. */
    void add(DatasetEncoded run) {
        store.createIfAbsent(Keys.queue(run.run()), EventJson.write(run));
    }

    /** All that wait, by name. */
    List<DatasetEncoded> waiting() {
        return store.list(Keys.queue()).stream()
                .map(object -> EventJson.read(store.read(object.key()), DatasetEncoded.class))
                .toList();
    }

    void remove(String run) {
        store.delete(Keys.queue(run));
    }
}
