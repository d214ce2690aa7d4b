package dev.distillery.events;

import java.util.function.Consumer;

/** Turns a worker's count into progress events: at most one a second, and one at the end. Used by one thread. */
public final class StageMeter {
    private static final long INTERVAL_NANOS = 1_000_000_000L;

    private final String run;
    private final String stage;
    private final String unit;
    private final long before;
    private final Consumer<StageProgress> events;
    private final long started = System.nanoTime();
    private long last = started - INTERVAL_NANOS;

    /** @param before what was done already, by others or earlier; it does not count for the rate */
    public StageMeter(String run, String stage, String unit, long before, Consumer<StageProgress> events) {
        this.run = run;
        this.stage = stage;
        this.unit = unit;
        this.before = before;
        this.events = events;
    }

    /** @param done in all, of {@code total} */
    public void at(long done, long total) {
        long now = System.nanoTime();
        if (now - last < INTERVAL_NANOS && done < total) {
            return;
        }
        last = now;
        double rate = Math.max(0, done - before) / Math.max(1e-9, (now - started) / 1e9);
        Double left = rate > 0 ? Math.max(0, total - done) / rate : null;
        events.accept(new StageProgress(run, stage, done, total, unit, rate, left));
    }
}
