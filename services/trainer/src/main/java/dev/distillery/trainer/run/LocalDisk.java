package dev.distillery.trainer.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;

import org.jboss.logging.Logger;

/**
 * Where a run writes before it uploads. A disk that is full, or is gone for a while, is waited for: somebody else's files may
 * go, and the training done so far is worth more than the minutes.
 */
final class LocalDisk {

    private static final Logger LOG = Logger.getLogger(LocalDisk.class);
    private static final long FIRST_PAUSE_MILLIS = 500;
    private static final long LONGEST_PAUSE_MILLIS = 30_000;

    private final Path folder;
    private final Duration patience;
    private final RunControls controls;

    /** @param patience how long to wait in all for one write */
    LocalDisk(Path folder, Duration patience, RunControls controls) {
        this.folder = folder;
        this.patience = patience;
        this.controls = controls;
    }

    Path folder() {
        return folder;
    }

    interface Write {
        void run() throws IOException;
    }

    /**
     * Writes, again and again until it works.
     *
     * @param write starts from the beginning each time
     * @throws LocalDiskException when it does not work in time, or the run is to stop meanwhile
     */
    void write(String what, Write write) {
        long deadline = System.nanoTime() + patience.toNanos();
        for (long pause = FIRST_PAUSE_MILLIS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MILLIS)) {
            try {
                write.run();
                return;
            } catch (IOException e) {
                waitOrGiveUp(what, e, pause, deadline);
            } catch (UncheckedIOException e) {
                waitOrGiveUp(what, e.getCause(), pause, deadline);
            }
        }
    }

    private void waitOrGiveUp(String what, IOException e, long pauseMillis, long deadline) {
        if (controls.stop().isPresent() || System.nanoTime() + pauseMillis * 1_000_000 - deadline > 0) {
            throw new LocalDiskException(
                    "The " + what + " cannot be written below " + folder + " (" + roomMegabytes() + " MB free): " + e,
                    e);
        }
        LOG.warnf(
                "Waiting for the disk: what=%s folder=%s freeMegabytes=%d reason=%s", what, folder, roomMegabytes(), e);
        try {
            Thread.sleep(pauseMillis);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new LocalDiskException("Interrupted while the " + what + " could not be written: " + e, e);
        }
    }

    private long roomMegabytes() {
        return folder.toFile().getUsableSpace() / 1_000_000;
    }
}
