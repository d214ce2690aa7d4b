package dev.distillery.trainer;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

import jakarta.enterprise.context.ApplicationScoped;

import ai.djl.Device;
import dev.distillery.artifacts.ArtifactCorruptException;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Folders;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.LeaseLostException;
import dev.distillery.artifacts.LocalCopies;
import dev.distillery.artifacts.StoreUnavailableException;
import dev.distillery.events.DatasetEncoded;
import dev.distillery.events.TrainRequest;
import dev.distillery.planning.MemoryCheck.DeviceMemory;
import dev.distillery.trainer.data.LatentsDataset;
import dev.distillery.trainer.data.LatentsIndex;
import dev.distillery.trainer.data.ShardCache;
import dev.distillery.trainer.run.DeviceMemoryException;
import dev.distillery.trainer.run.LocalDiskException;
import dev.distillery.trainer.run.Machine;
import dev.distillery.trainer.run.NumericsException;
import dev.distillery.trainer.run.RunControls;
import dev.distillery.trainer.run.TrainingRun;
import dev.distillery.trainer.run.TrainingRun.Outcome;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/** Works on one run whose lease is held, and tells the world how it ended. */
@ApplicationScoped
class RunWorker {

    private static final Logger LOG = Logger.getLogger(RunWorker.class);

    private final ArtifactStore store;
    private final LocalCopies copies;
    private final Path workDir;
    private final TrainerConfig config;
    private final Machine machine;
    private final long latentsCache;
    private final RunEvents events;
    private final RunMarkers markers;
    private final TrainerMetrics metrics;
    private final Heartbeat heartbeat;

    RunWorker(
            ArtifactStore store,
            LocalCopies copies,
            @ConfigProperty(name = "distillery.work-dir", defaultValue = "${java.io.tmpdir}/distillery") Path workDir,
            TrainerConfig config,
            RunEvents events,
            TrainerMetrics metrics,
            Heartbeat heartbeat) {
        this.store = store;
        this.copies = copies;
        this.workDir = workDir;
        this.config = config;
        this.machine = machine(config);
        this.latentsCache = config.latentsCache().asLongValue();
        this.events = events;
        this.markers = new RunMarkers(store);
        this.metrics = metrics;
        this.heartbeat = heartbeat;
        metrics.watch(machine.devices());
    }

    /** Those that batches are split over. */
    List<String> devices() {
        return machine.devices().stream().map(Devices::name).toList();
    }

    private static Machine machine(TrainerConfig config) {
        List<Device> devices = Devices.of(config.devices());
        DeviceMemory all = DeviceMemory.of(devices.get(0));
        DeviceMemory allowed = config.deviceMemory()
                .map(size -> new DeviceMemory(all.gpu(), size.asLongValue()))
                .orElse(all);
        return new Machine(devices, allowed, config.diskPatience());
    }

    /** True when the run has ended and need not wait any longer. */
    boolean work(DatasetEncoded run, HeldLease lease, BooleanSupplier stopping) {
        String name = run.run();
        try {
            return trainUnlessEnded(run, lease, stopping);
        } catch (LeaseLostException e) {
            LOG.warnf("Another trainer has the run, leaving it: run=%s reason=%s", name, e.getMessage());
            return false;
        } catch (StoreUnavailableException e) {
            LOG.warnf("The store cannot be used, leaving the run for later: run=%s reason=%s", name, e.getMessage());
            return false;
        } catch (LocalDiskException e) {
            if (stopping.getAsBoolean() || markers.paused(name) || markers.cancelled(name)) {
                return false; // not waited for to the end
            }
            events.failed(
                    name,
                    e.getMessage(),
                    "Make room there (distillery.work-dir) and submit the request again: the run goes on from its newest checkpoint.");
            return true;
        } catch (DeviceMemoryException e) {
            events.failed(name, e.getMessage(), e.advice() + ". Submit it under another name.");
            return true;
        } catch (NumericsException e) {
            events.failed(
                    name,
                    e.getMessage(),
                    "Lower train.optimizer.learningRate (and lora.textEncoderLearningRate) or train.clip and submit under another name; the last checkpoint is kept.");
            return true;
        } catch (RuntimeException e) {
            LOG.errorf(e, "Training failed: run=%s", name);
            if (!lease.isHeld()) {
                return false; // whoever has the run now says how it goes
            }
            events.failed(
                    name, e.toString(), "The trainer's log has the stack trace; submit the request again to go on.");
            return true;
        }
    }

    private boolean trainUnlessEnded(DatasetEncoded run, HeldLease lease, BooleanSupplier stopping) {
        String name = run.run();
        TrainRequest request = markers.request(name);
        Optional<RunMarkers.Trained> trained = markers.trained(name).filter(done -> done.asFarAs(request));
        if (trained.isPresent()) {
            events.completed(name, trained.get()); // the process that trained it died before it had said so
            return true;
        }
        if (markers.cancelled(name)) {
            events.cancelled(name);
            return true;
        }
        return train(run, request, lease, stopping);
    }

    private boolean train(DatasetEncoded run, TrainRequest request, HeldLease lease, BooleanSupplier stopping) {
        String name = run.run();
        Instant started = Instant.now();
        Path work = workDir.resolve("runs").resolve(name);
        Outcome outcome;
        try (RunMeters meters = metrics.of(name, request);
                TrainingRun training = new TrainingRun(
                        request,
                        latents(run.latents()),
                        run.model(),
                        copies.of(Keys.model(run.model())),
                        machine,
                        work,
                        store,
                        copies,
                        new RunObserver(name, events, metrics, meters),
                        new Controls(name, lease, stopping))) {
            outcome = training.train();
        }
        if (outcome instanceof Outcome.Completed completed) {
            lease.ensureHeld();
            RunMarkers.Trained trained = markers.trained(run, completed, started);
            if (!trained.asFarAs(markers.request(name))) {
                return false; // extended meanwhile
            }
            events.completed(name, trained);
            Folders.delete(work);
            return true;
        }
        Outcome.Stopped stopped = (Outcome.Stopped) outcome;
        return switch (stopped.why()) {
            case CANCELLED -> {
                events.cancelled(name);
                yield true;
            }
            case PAUSED -> {
                events.paused(name, stopped.step());
                yield false;
            }
            case SHUTDOWN -> false;
        };
    }

    private LatentsDataset latents(String fingerprint) {
        LatentsIndex index = LatentsIndex.of(store, fingerprint);
        Path folder = workDir.resolve("latents").resolve(fingerprint);
        return new LatentsDataset(index, new ShardCache(index, folder, latentsCache, (file, sha256, target) -> {
            String key = Keys.latents(fingerprint) + file;
            if (!store.fetch(key, target).sha256().equals(sha256)) {
                throw new ArtifactCorruptException(key + " is not what its manifest says");
            }
        }));
    }

    /** Asks the store what was said about the run only every second: a step of a small model takes less. */
    private final class Controls implements RunControls {
        private static final long LOOK_EVERY_NANOS = 1_000_000_000L;

        private final String run;
        private final HeldLease lease;
        private final BooleanSupplier stopping;
        private long looked = System.nanoTime() - LOOK_EVERY_NANOS;

        Controls(String run, HeldLease lease, BooleanSupplier stopping) {
            this.run = run;
            this.lease = lease;
            this.stopping = stopping;
        }

        @Override
        public Optional<Stop> stop() {
            heartbeat.beat();
            if (stopping.getAsBoolean()) {
                return Optional.of(Stop.SHUTDOWN);
            }
            if (System.nanoTime() - looked >= LOOK_EVERY_NANOS) {
                looked = System.nanoTime();
                if (markers.cancelled(run)) {
                    return Optional.of(Stop.CANCELLED);
                }
                return markers.paused(run) ? Optional.of(Stop.PAUSED) : Optional.empty();
            }
            return Optional.empty();
        }

        @Override
        public void ensureOurs() {
            lease.ensureHeld();
            heartbeat.beat();
        }
    }
}
