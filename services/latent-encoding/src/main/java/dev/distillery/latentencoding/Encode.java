package dev.distillery.latentencoding;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

import dev.distillery.artifacts.ArtifactMissingException;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Folders;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.LocalCopies;
import dev.distillery.artifacts.Manifest;
import dev.distillery.artifacts.Manifests;
import dev.distillery.events.DatasetEncoded;
import dev.distillery.events.Event;
import dev.distillery.events.ShardIngested;
import dev.distillery.events.StageMeter;
import dev.distillery.events.Topic;
import dev.distillery.events.TrainRequest;
import dev.distillery.latentencoding.LatentsShards.Note;

/**
 * Encodes shards as they are announced. Instances share a data set by the partitions of its shards' events; whoever finds it
 * whole makes the manifest and announces it.
 */
public final class Encode implements AutoCloseable {
    private final ArtifactStore store;
    private final LocalCopies copies;
    private final Events events;
    private Encoders encoders;
    private String loaded = "";

    /** Where events go; returns when they are durable. */
    public interface Events {
        void publish(Topic topic, String key, Event event);
    }

    public Encode(ArtifactStore store, LocalCopies copies, Events events) {
        this.store = store;
        this.copies = copies;
        this.events = events;
    }

    /**
     * Encodes a shard unless it is there, and announces the data set if it is whole.
     *
     * @throws NotFiniteException naming the pair whose latents are not numbers
     */
    public synchronized void run(ShardIngested shard) throws IOException {
        if (store.stat(Keys.cancelled(shard.run())).isPresent()) {
            return;
        }
        EncodeSettings settings = settings(shard.run());
        Manifest model = manifest(Keys.model(shard.model()));
        String latents = LatentsName.of(shard.dataset(), model, settings);
        var shards = new LatentsShards(store, latents);
        boolean wasComplete = Manifests.find(store, Keys.latents(latents)).isPresent();
        if (!wasComplete) {
            if (shards.note(shard.shard()).isEmpty()) {
                encode(shard, shards, settings);
            }
            if (shards.whole(shard.shards()).size() < shard.shards()) {
                return; // whoever encodes the last one goes on
            }
            shards.complete(shard, settings);
            release();
        }
        // Events are repeated. A run's latents are announced until that is noted; later once each time the request is
        // repeated, not once for each of its shards.
        if (!EncodeNote.exists(store, shard.run()) || shard.shard() == shard.shards() - 1) {
            announce(shard, latents, shards.notes(shard.shards()));
        }
    }

    private void encode(ShardIngested shard, LatentsShards shards, EncodeSettings settings) throws IOException {
        String started = Instant.now().toString();
        List<Integer> pairs = shardPairs(manifest(Keys.dataset(shard.dataset())));
        int total = pairs.stream().mapToInt(Integer::intValue).sum();
        int before = shards.whole(shard.shards()).stream().mapToInt(pairs::get).sum();
        var meter = new StageMeter(
                shard.run(),
                EncodeNote.STAGE,
                "pairs",
                before,
                event -> events.publish(Topic.RUN_EVENTS, shard.run(), event));
        Path folder = Files.createTempDirectory("encode");
        try {
            var encoder = new ShardEncoder(encoders(shard.model()), settings);
            String tar = Keys.shard(Keys.dataset(shard.dataset()), shard.shard(), "tar");
            ShardEncoder.Encoded encoded =
                    encoder.encode(store.open(tar), folder, done -> meter.at(before + done, total));
            shards.add(shard, encoded, started, Instant.now().toString());
        } finally {
            Folders.delete(folder);
        }
    }

    private void announce(ShardIngested shard, String latents, List<Note> notes) {
        String run = shard.run();
        int pairs = notes.stream().mapToInt(Note::pairs).sum();
        var encoded = new DatasetEncoded(run, shard.dataset(), shard.model(), latents, shard.shards(), pairs);
        events.publish(Topic.RUN_EVENTS, run, encoded);
        events.publish(Topic.DATASETS_ENCODED, run, encoded);
        EncodeNote.write(store, run, latents, notes);
    }

    /** The networks stay loaded from one shard to the next. */
    private Encoders encoders(String model) {
        if (!loaded.equals(model)) {
            release();
            encoders = new Encoders(copies.of(Keys.model(model)));
            loaded = model;
        }
        return encoders;
    }

    /** They take gigabytes, which the trainer can use when there is nothing to encode. */
    private void release() {
        if (encoders != null) {
            encoders.close();
            encoders = null;
            loaded = "";
        }
    }

    private EncodeSettings settings(String run) {
        TrainRequest.Encode encode =
                TrainRequest.parse(store.read(Keys.request(run))).encode();
        return new EncodeSettings(encode.resolution(), encode.crop().equals("random"), encode.flip(), encode.views());
    }

    private Manifest manifest(String prefix) {
        return Manifests.find(store, prefix)
                .orElseThrow(() -> new ArtifactMissingException(prefix + " is not complete in the store"));
    }

    private static List<Integer> shardPairs(Manifest dataset) {
        return ((List<?>) dataset.about().get("shardPairs"))
                .stream().map(n -> ((Number) n).intValue()).toList();
    }

    @Override
    public synchronized void close() {
        release();
    }
}
