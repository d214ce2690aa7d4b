package dev.distillery.trainer;

import java.util.List;

import jakarta.enterprise.context.ApplicationScoped;

import dev.distillery.events.CheckpointSaved;
import dev.distillery.events.RunCancelled;
import dev.distillery.events.RunEvent;
import dev.distillery.events.RunExtended;
import dev.distillery.events.RunFailed;
import dev.distillery.events.RunPaused;
import dev.distillery.events.RunResumed;
import dev.distillery.events.SamplesRendered;
import dev.distillery.events.StageMeter;
import dev.distillery.events.Topic;
import dev.distillery.events.TrainingCompleted;
import dev.distillery.events.TrainingProgress;
import dev.distillery.events.messaging.EventPublisher;
import dev.distillery.trainer.run.TrainingObserver.Progress;

/** What the trainer says about runs, and on which topics. */
@ApplicationScoped
class RunEvents {

    static final String STAGE = "train";

    private final EventPublisher publisher;

    RunEvents(EventPublisher publisher) {
        this.publisher = publisher;
    }

    /** Not waited for: the next one says the same and more. */
    void progress(String run, Progress p) {
        publisher.publish(
                Topic.RUN_EVENTS,
                run,
                new TrainingProgress(
                        run,
                        p.step(),
                        p.steps(),
                        p.epoch(),
                        p.epochs(),
                        new TrainingProgress.Losses(
                                p.losses().task(),
                                p.losses().output(),
                                p.losses().feature(),
                                p.losses().total()),
                        1 / p.seconds(),
                        p.secondsLeft(),
                        p.residentBytes()));
    }

    /** Of what comes before the first step. */
    StageMeter meter(String run, String stage, String unit, long before) {
        return new StageMeter(run, stage, unit, before, progress -> publisher.publish(Topic.RUN_EVENTS, run, progress));
    }

    void checkpoint(CheckpointSaved saved) {
        tell(saved.run(), saved);
        if (!saved.last()) {
            publisher.publishAndWait(Topic.CHECKPOINTS, saved.run(), saved);
        }
    }

    void samples(String run, int epoch, long step, List<String> keys) {
        tell(run, new SamplesRendered(run, epoch, step, keys));
    }

    /** The last checkpoint goes out only now: the converter's report shows samples, which are drawn after it is taken. */
    void completed(String run, RunMarkers.Trained trained) {
        tell(run, new TrainingCompleted(run, trained.step(), trained.seconds()));
        CheckpointSaved last = new CheckpointSaved(run, trained.step(), trained.epochs(), true);
        publisher.publishAndWait(Topic.CHECKPOINTS, run, last);
    }

    void failed(String run, String reason, String advice) {
        tell(run, new RunFailed(run, STAGE, reason, advice));
    }

    void cancelled(String run) {
        tell(run, new RunCancelled(run, STAGE));
    }

    /** @param step null when the run had not begun */
    void paused(String run, Long step) {
        tell(run, new RunPaused(run, step));
    }

    /** One of the two is null. */
    void extended(String run, Integer epochs, Integer steps) {
        tell(run, new RunExtended(run, epochs, steps));
    }

    void resumed(String run) {
        tell(run, new RunResumed(run));
    }

    private void tell(String run, RunEvent event) {
        publisher.publishAndWait(Topic.RUN_EVENTS, run, event);
    }
}
