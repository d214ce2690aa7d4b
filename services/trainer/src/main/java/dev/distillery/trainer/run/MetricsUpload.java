package dev.distillery.trainer.run;

import java.nio.file.Path;

import dev.distillery.artifacts.ArtifactStore;

/** Puts the log into the store now and then. The log is uploaded whole, so the pauses grow with the time that takes. */
final class MetricsUpload {

    private static final long SHORTEST_PAUSE_NANOS = 5_000_000_000L;
    private static final int PAUSE_PER_UPLOAD = 50; // at most 2 % of the time goes into uploads

    private final ArtifactStore store;
    private final String key;
    private final Path file;
    private final Runnable stillOurs;
    private long due = System.nanoTime() + SHORTEST_PAUSE_NANOS;

    /** @param stillOurs throws when the run's lease is lost; asked before each upload */
    MetricsUpload(ArtifactStore store, String key, Path file, Runnable stillOurs) {
        this.store = store;
        this.key = key;
        this.file = file;
        this.stillOurs = stillOurs;
    }

    void ifDue() {
        if (System.nanoTime() - due >= 0) {
            now();
        }
    }

    void now() {
        long started = System.nanoTime();
        stillOurs.run();
        store.put(key, file);
        long took = System.nanoTime() - started;
        due = started + took + Math.max(SHORTEST_PAUSE_NANOS, PAUSE_PER_UPLOAD * took);
    }
}
