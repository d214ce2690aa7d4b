package dev.distillery.trainer;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

import dev.distillery.artifacts.ArtifactMissingException;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.ObjectInfo;
import dev.distillery.events.DatasetEncoded;
import dev.distillery.events.EventJson;
import dev.distillery.events.MalformedEventException;
import org.jboss.logging.Logger;

/**
 * Runs that wait for a trainer, as objects {@code queue/<run>.json}: what keeps a run when its Kafka record has long been
 * acknowledged. An entry leaves when its run has ended.
 */
final class RunQueue {

    private static final Logger LOG = Logger.getLogger(RunQueue.class);

    private final ArtifactStore store;
    private final Set<String> unreadable = new HashSet<>();

    RunQueue(ArtifactStore store) {
        this.store = store;
    }

    /** Does nothing when the run waits already. */
    void add(DatasetEncoded run) {
        store.createIfAbsent(Keys.queue(run.run()), EventJson.write(run));
    }

    /** All that wait, by name; what is no run is said once and passed over. */
    List<DatasetEncoded> waiting() {
        List<DatasetEncoded> runs = new ArrayList<>();
        for (ObjectInfo object : store.list(Keys.queue())) {
            try {
                DatasetEncoded run = EventJson.read(store.read(object.key()), DatasetEncoded.class);
                if (!object.key().equals(Keys.queue(run.run()))) {
                    throw new MalformedEventException("it is of run '" + run.run() + "'", null);
                }
                runs.add(run);
            } catch (MalformedEventException | IllegalArgumentException e) {
                if (unreadable.add(object.etag())) {
                    LOG.errorf("Not a run, delete it: key=%s reason=%s", object.key(), e.getMessage());
                }
            } catch (ArtifactMissingException e) {
                // its run has ended meanwhile
            }
        }
        return runs;
    }

    void remove(String run) {
        store.delete(Keys.queue(run));
    }
}
