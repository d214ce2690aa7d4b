package dev.distillery.trainer;

import java.util.List;

import dev.distillery.events.CheckpointSaved;
import dev.distillery.trainer.run.TrainingObserver;

/** Passes on what a run does, its progress about once a second. */
final class RunObserver implements TrainingObserver {

    private static final long PAUSE_NANOS = 1_000_000_000L;

    private final String run;
    private final RunEvents events;
    private final TrainerMetrics metrics;
    private long told = System.nanoTime() - PAUSE_NANOS;

    RunObserver(String run, RunEvents events, TrainerMetrics metrics) {
        this.run = run;
        this.events = events;
        this.metrics = metrics;
    }

    @Override
    public void stepped(Progress progress) {
        metrics.stepped(progress);
        if (System.nanoTime() - told >= PAUSE_NANOS || progress.step() == progress.steps()) {
            told = System.nanoTime();
            events.progress(run, progress);
        }
    }

    @Override
    public void skipped(long step) {
        metrics.skipped();
    }

    @Override
    public void averaged(double distance) {
        metrics.averaged(distance);
    }

    @Override
    public void checkpointStored(long step, int epoch, boolean last, double uploadSeconds) {
        metrics.uploaded(uploadSeconds);
        events.checkpoint(new CheckpointSaved(run, step, epoch, last));
    }

    @Override
    public void samplesRendered(int epoch, long step, List<String> keys) {
        events.samples(run, epoch, step, keys);
    }
}
