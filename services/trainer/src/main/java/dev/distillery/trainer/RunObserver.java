package dev.distillery.trainer;

import java.util.List;

import dev.distillery.events.CheckpointSaved;
import dev.distillery.events.StageMeter;
import dev.distillery.trainer.run.TrainingObserver;

/** Passes on what a run does, its progress about once a second. */
final class RunObserver implements TrainingObserver {

    private static final long PAUSE_NANOS = 1_000_000_000L;

    private final String run;
    private final RunEvents events;
    private final TrainerMetrics metrics;
    private final RunMeters meters;
    private StageMeter classPictures; // once one is drawn
    private long told = System.nanoTime() - PAUSE_NANOS;

    RunObserver(String run, RunEvents events, TrainerMetrics metrics, RunMeters meters) {
        this.run = run;
        this.events = events;
        this.metrics = metrics;
        this.meters = meters;
    }

    @Override
    public void classPicture(int done, int all) {
        if (classPictures == null) {
            classPictures = events.meter(run, "class", "pictures", done);
        }
        classPictures.at(done, all);
    }

    @Override
    public void stepped(Progress progress) {
        metrics.stepped(progress);
        meters.stepped(progress);
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
        meters.averaged(distance);
    }

    @Override
    public void checkpointStored(long step, int epoch, boolean last, double uploadSeconds) {
        metrics.uploaded("stored", uploadSeconds);
        meters.checkpointed();
        events.checkpoint(new CheckpointSaved(run, step, epoch, last));
    }

    @Override
    public void checkpointFailed(double seconds) {
        metrics.uploaded("failed", seconds);
    }

    @Override
    public void samplesRendered(int epoch, long step, List<String> keys) {
        events.samples(run, epoch, step, keys);
    }
}
