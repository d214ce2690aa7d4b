package dev.distillery.latentencoding;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.IntConsumer;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Folders;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.LocalCopies;
import dev.distillery.artifacts.Manifest;
import dev.distillery.artifacts.Manifests;
import dev.distillery.artifacts.StoreRefusedException;
import dev.distillery.artifacts.StoreUnavailableException;
import dev.distillery.diffusion.unet.UNetConfig;
import dev.distillery.diffusion.vae.VaeConfig;
import dev.distillery.events.DatasetEncoded;
import dev.distillery.events.Events;
import dev.distillery.events.ShardIngested;
import dev.distillery.events.StageMeter;
import dev.distillery.events.Topic;
import dev.distillery.events.TrainRequest;
import dev.distillery.latentencoding.LatentsShards.Note;
import org.jboss.logging.Logger;

/**
 * Encodes shards as they are announced. Instances share a data set by the partitions of its shards' events; whoever finds it
 * whole makes the manifest and announces it.
 */
public final class Encode implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger(Encode.class);
    private static final int ATTEMPTS = 2;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ArtifactStore store;
    private final LocalCopies copies;
    private final Events events;
    private final Settled settled;
    private Encoders encoders;
    private String loaded = "";
    private Path folder; // of what is loaded

    /** Told how each shard ended. */
    public interface Settled {
        void encoded(int pairs, Duration took);

        /** It failed when it was tried again, too. */
        void putAside(Duration took);
    }

    public Encode(ArtifactStore store, LocalCopies copies, Events events, Settled settled) {
        this.settled = settled;
        this.store = store;
        this.copies = copies;
        this.events = events;
    }

    /**
     * Encodes a shard unless it is there, and announces the data set if it is whole. A shard that fails again when it is tried
     * once more is put aside.
     *
     * @throws ShardsFailedException if these are more than the run allows
     */
    public synchronized void run(ShardIngested shard) throws IOException {
        if (store.stat(Keys.cancelled(shard.run())).isPresent()) {
            return;
        }
        TrainRequest request = TrainRequest.parse(store.read(Keys.request(shard.run())));
        EncodeSettings settings = settings(request.encode(), Keys.model(shard.model()));
        String latents = LatentsName.of(shard.dataset(), manifest(Keys.model(shard.model())), settings);
        var shards = new LatentsShards(store, latents);
        if (Manifests.find(store, Keys.latents(latents)).isEmpty()) {
            if (!shards.isWhole(shard.shard())) {
                encode(shard, shards, settings);
            }
            if (!complete(shard, shards, settings, request.dataset().maxFailed())) {
                return; // whoever encodes the last one goes on
            }
            release();
        }
        // Events are repeated. A run's latents are announced until that is noted; later once each time the request is
        // repeated, not once for each of its shards.
        if (!EncodeNote.exists(store, shard.run()) || shard.shard() == shard.shards() - 1) {
            announce(shard, latents, shards.notes(shards.settled(shard.shards())));
        }
    }

    /** Makes the manifest if every shard is whole or put aside. */
    private boolean complete(ShardIngested shard, LatentsShards shards, EncodeSettings settings, double maxFailed) {
        List<Integer> failed = shards.putAside(shard.shards());
        if (failed.size() > maxFailed * shard.shards()) {
            throw new ShardsFailedException(shards.notes(failed), shard.shards(), maxFailed);
        }
        List<Integer> settled = shards.settled(shard.shards());
        if (settled.size() < shard.shards()) {
            return false;
        }
        List<Note> notes = shards.notes(settled);
        shards.complete(shard, settings, notes, validationPairs(manifest(Keys.dataset(shard.dataset())), notes));
        return true;
    }

    /** The last shards of the data set hold its validation pairs; those of them that failed hold none. */
    private static int validationPairs(Manifest dataset, List<Note> notes) {
        int left = dataset.about().get("validationPairs") instanceof Number pairs ? pairs.intValue() : 0;
        int there = 0;
        for (int i = notes.size() - 1; left > 0; i--) {
            left -= shardPairs(dataset).get(i);
            there += notes.get(i).pairs();
        }
        return there;
    }

    private void encode(ShardIngested shard, LatentsShards shards, EncodeSettings settings) throws IOException {
        Instant started = Instant.now();
        List<Integer> pairs = shardPairs(manifest(Keys.dataset(shard.dataset())));
        int total = pairs.stream().mapToInt(Integer::intValue).sum();
        int before =
                shards.settled(shard.shards()).stream().mapToInt(pairs::get).sum();
        var meter = new StageMeter(
                shard.run(),
                EncodeNote.STAGE,
                "pairs",
                before,
                event -> events.publish(Topic.RUN_EVENTS, shard.run(), event));
        Path folder = Files.createTempDirectory("encode");
        try {
            ShardEncoder.Encoded encoded = tried(shard, settings, folder, done -> meter.at(before + done, total));
            Instant ended = Instant.now();
            shards.add(shard, encoded, started.toString(), ended.toString());
            settled.encoded(pairs.get(shard.shard()), Duration.between(started, ended));
        } catch (ShardException e) {
            LOG.warnf(e, "Shard put aside: run=%s shard=%d", shard.run(), shard.shard());
            Instant ended = Instant.now();
            shards.putAside(shard, e.getMessage(), started.toString(), ended.toString());
            settled.putAside(Duration.between(started, ended));
        } finally {
            Folders.delete(folder);
        }
    }

    /** What was wrong with the shard itself, not with the store or the disk. */
    private static final class ShardException extends Exception {
        private static final long serialVersionUID = 1L;

        ShardException(int shard, Exception cause) {
            super(
                    "shard " + shard + ": " + (cause.getMessage() == null ? cause.toString() : cause.getMessage()),
                    cause);
        }
    }

    private ShardEncoder.Encoded tried(ShardIngested shard, EncodeSettings settings, Path folder, IntConsumer done)
            throws IOException, ShardException {
        var encoder = new ShardEncoder(encoders(shard.model()), settings);
        String tar = Keys.shard(Keys.dataset(shard.dataset()), shard.shard(), "tar");
        for (int attempt = 1; ; attempt++) {
            try {
                return encoder.encode(store.open(tar), folder, done);
            } catch (StoreUnavailableException | StoreRefusedException | LocalDiskException e) {
                throw e; // another shard would fare no better
            } catch (IOException | RuntimeException e) {
                if (attempt == ATTEMPTS) {
                    throw new ShardException(shard.shard(), e);
                }
                LOG.warnf(e, "Shard is tried again: run=%s shard=%d", shard.run(), shard.shard());
            }
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
    private Encoders encoders(String model) throws IOException {
        if (!loaded.equals(model)) {
            release();
            folder = Files.createTempDirectory("encoders");
            copies.fetch(Keys.model(model), name -> !name.startsWith("unet/"), folder); // a U-Net is large
            encoders = new Encoders(folder);
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
        if (folder != null) {
            Folders.delete(folder);
            folder = null;
        }
    }

    /** @param model prefix of the teacher, whose networks' levels decide what sizes there can be */
    private EncodeSettings settings(TrainRequest.Encode encode, String model) throws IOException {
        int side = encode.resolution();
        List<ImageSize> sizes = List.of(new ImageSize(side, side));
        if (encode.buckets()) {
            VaeConfig vae = VaeConfig.of("vae/config.json", store.read(model + "vae/config.json"));
            UNetConfig unet = UNetConfig.of((ObjectNode) JSON.readTree(store.read(model + "unet/config.json")));
            sizes = ImageSize.buckets(side, vae.scale() << (unet.levels() - 1));
        }
        return new EncodeSettings(sizes, encode.crop().equals("random"), encode.flip(), encode.views());
    }

    private Manifest manifest(String prefix) {
        return Manifests.require(store, prefix);
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
