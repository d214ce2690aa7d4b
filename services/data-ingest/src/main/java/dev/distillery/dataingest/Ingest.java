package dev.distillery.dataingest;

import java.io.IOException;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.Manifests;
import dev.distillery.dataingest.shard.DatasetIngest;
import dev.distillery.dataingest.shard.IngestedDataset;
import dev.distillery.dataingest.teacher.TeacherImport;
import dev.distillery.events.DatasetIngested;
import dev.distillery.events.Event;
import dev.distillery.events.Events;
import dev.distillery.events.InvalidRequestException;
import dev.distillery.events.RunAccepted;
import dev.distillery.events.ShardIngested;
import dev.distillery.events.StageMeter;
import dev.distillery.events.Topic;
import dev.distillery.events.TrainRequest;
import dev.distillery.events.Violation;
import dev.distillery.planning.MemoryCheck.DeviceMemory;

/** From a valid request to a teacher and shards in the store; a request that comes again finds what is there. */
public final class Ingest {
    private final ArtifactStore store;
    private final Sources sources;
    private final Optional<DeviceMemory> device;
    private final DatasetIngest.Filled filled;
    private final Events events;

    /**
     * @param device that trains, if its memory is known: what does not fit is not taken on
     * @param filled told of each shard
     */
    public Ingest(
            ArtifactStore store,
            Sources sources,
            Optional<DeviceMemory> device,
            DatasetIngest.Filled filled,
            Events events) {
        this.device = device;
        this.filled = filled;
        this.store = store;
        this.sources = sources;
        this.events = events;
    }

    /**
     * Does the whole stage.
     *
     * @throws InvalidRequestException if the request cannot be done; nothing was kept then
     * @throws IOException if a source fails while it is read, or holds nothing usable
     */
    public void run(TrainRequest request) throws IOException {
        Instant started = Instant.now();
        String run = request.run();
        boolean known = sameAsBefore(request);
        Optional<IngestNote> done = IngestNote.find(store, run).filter(this::complete);
        if (known && done.isPresent()) {
            tell(run, new RunAccepted(run));
            announce(run, done.get(), dataset(done.get().dataset(), null, run));
            return;
        }
        CheckedRequest checked = CheckedRequest.of(request, sources, device);
        if (!store.createIfAbsent(Keys.request(run), request.canonicalJson())) {
            sameAsBefore(request); // another instance may have been quicker, with another request
        }
        tell(run, new RunAccepted(run));
        var note =
                new IngestNote(checked.datasetFingerprint(), checked.teacher().fingerprint());
        new TeacherImport(store).run(note.model(), checked.teacher());
        IngestedDataset data = dataset(note.dataset(), checked, run);
        note.write(store, run, data, started);
        announce(run, note, data);
    }

    /** Whether the run is known with this very request. */
    private boolean sameAsBefore(TrainRequest request) {
        String key = Keys.request(request.run());
        if (store.stat(key).isEmpty()) {
            return false;
        }
        TrainRequest before = TrainRequest.parse(store.read(key)); // perhaps by a release that had fewer fields
        if (Arrays.equals(before.canonicalJson(), request.canonicalJson())) {
            return true;
        }
        throw new InvalidRequestException(List.of(new Violation(
                "run", request.run(), "a run of this name was requested with other content; take another name")));
    }

    private boolean complete(IngestNote note) {
        return Manifests.find(store, Keys.dataset(note.dataset())).isPresent()
                && Manifests.find(store, Keys.model(note.model())).isPresent();
    }

    /** @param checked null when the data set is known to be complete */
    private IngestedDataset dataset(String fingerprint, CheckedRequest checked, String run) throws IOException {
        var meter = new StageMeter(
                run, IngestNote.STAGE, "pairs", 0, event -> events.publish(Topic.RUN_EVENTS, run, event));
        return new DatasetIngest(store, filled)
                .run(
                        fingerprint,
                        checked == null ? List.of() : checked.parts(),
                        checked == null ? "" : checked.dataset().pinnedUri(),
                        meter::at);
    }

    private void announce(String run, IngestNote note, IngestedDataset data) {
        List<Integer> shards = data.shardPairs();
        tell(
                run,
                new DatasetIngested(run, note.dataset(), data.pairs(), data.skipped(), shards.size(), data.seconds()));
        for (int i = 0; i < shards.size(); i++) {
            var shard = new ShardIngested(run, note.dataset(), note.model(), i, shards.size(), shards.get(i));
            events.publish(Topic.SHARDS_INGESTED, run + "/" + i, shard);
        }
    }

    private void tell(String run, Event event) {
        events.publish(Topic.RUN_EVENTS, run, event);
    }
}
