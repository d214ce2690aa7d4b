package dev.distillery.trainer.run;

import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

import dev.distillery.artifacts.ArtifactCorruptException;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Folders;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.LeaseLostException;
import dev.distillery.artifacts.LocalCopies;
import dev.distillery.artifacts.PrefixWriter;
import dev.distillery.artifacts.StoreException;
import io.opentelemetry.context.Context;
import org.jboss.logging.Logger;

/**
 * A run's checkpoints in the store. A folder is uploaded beside the training, one at a time, its manifest last, so that
 * what looks complete is; then older ones are deleted, manifest first, for the same reason.
 */
final class Checkpoints implements AutoCloseable {

    private static final Logger LOG = Logger.getLogger(Checkpoints.class);

    private final ArtifactStore store;
    private final LocalCopies copies;
    private final String run;
    private final int keep;
    private final ExecutorService uploader = Context.taskWrapping(Executors.newSingleThreadExecutor(task -> {
        Thread thread = new Thread(task, "checkpoint-upload");
        thread.setDaemon(true);
        return thread;
    }));
    private CompletableFuture<Void> inFlight = CompletableFuture.completedFuture(null);

    /** @param keep how many to keep, at least 1 */
    Checkpoints(ArtifactStore store, LocalCopies copies, String run, int keep) {
        this.store = store;
        this.copies = copies;
        this.run = run;
        this.keep = Math.max(1, keep);
    }

    /** Told how an upload went and how many seconds it took, on the uploading thread. */
    interface Told {
        void stored(double seconds);

        void failed(double seconds);
    }

    /** A complete checkpoint on this machine. */
    record Found(long step, Path folder) {}

    /** The newest complete one whose files are what its manifest says. */
    Optional<Found> newest() {
        for (long step : steps().stream().sorted(Comparator.reverseOrder()).toList()) {
            try {
                return Optional.of(new Found(step, copies.of(Keys.checkpoint(run, step))));
            } catch (ArtifactCorruptException e) {
                LOG.warnf(
                        "Checkpoint is damaged, taking the one before: run=%s step=%d reason=%s",
                        run, step, e.getMessage());
            }
        }
        return Optional.empty();
    }

    /**
     * Uploads {@code folder} and deletes it here; waits first for the upload before it.
     *
     * @param stillOurs throws when the run's lease is lost; asked before each file, and before the checkpoint becomes visible
     * @param told of how it went
     */
    void upload(long step, Path folder, Runnable stillOurs, Told told) {
        await();
        inFlight = CompletableFuture.runAsync(
                () -> {
                    long started = System.nanoTime();
                    try {
                        upload(step, folder, stillOurs);
                    } catch (StoreException e) {
                        if (!(e instanceof LeaseLostException)) {
                            told.failed(secondsSince(started));
                        }
                        throw e;
                    }
                    Folders.delete(folder);
                    told.stored(secondsSince(started));
                    prune();
                },
                uploader);
    }

    private void upload(long step, Path folder, Runnable stillOurs) {
        PrefixWriter writer = new PrefixWriter(store, Keys.checkpoint(run, step));
        for (Path file : Folders.files(folder)) {
            stillOurs.run();
            writer.add(folder.relativize(file).toString().replace('\\', '/'), file);
        }
        stillOurs.run();
        writer.complete("checkpoint", Map.of("run", run, "step", step));
    }

    private static double secondsSince(long nanoTime) {
        return (System.nanoTime() - nanoTime) / 1e9;
    }

    /** Returns when the last upload is done; throws what it threw. */
    void await() {
        try {
            inFlight.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw e;
        }
    }

    private void prune() {
        List<Long> steps = steps().stream().sorted(Comparator.reverseOrder()).toList();
        for (long old : steps.subList(Math.min(keep, steps.size()), steps.size())) {
            String prefix = Keys.checkpoint(run, old);
            store.delete(Keys.manifest(prefix));
            store.deletePrefix(prefix);
        }
    }

    /** The steps of the complete checkpoints. */
    private List<Long> steps() {
        return store.list(Keys.checkpoints(run)).stream()
                .map(object -> object.key().substring(Keys.checkpoints(run).length()))
                .filter(name -> name.matches("step-\\d+/manifest\\.json"))
                .map(name -> Long.valueOf(name.replaceAll("\\D", "")))
                .toList();
    }

    @Override
    public void close() {
        uploader.shutdown();
    }
}
