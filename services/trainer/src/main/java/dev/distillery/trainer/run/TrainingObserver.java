package dev.distillery.trainer.run;

import java.util.List;

import dev.distillery.diffusion.distill.Losses;

/** Told what a run does, on the training thread unless it says otherwise; must return quickly. */
public interface TrainingObserver {

    /**
     * @param step optimizer steps done, of {@code steps}
     * @param epoch from 1
     * @param gradNorm before clipping
     * @param seconds that this step took
     * @param waitedSeconds of which it waited for data
     * @param deviceSeconds of which each device was busy with its parts of the batch
     * @param secondsLeft of training, judged by the steps done since the process took the run up
     */
    record Progress(
            long step,
            long steps,
            int epoch,
            int epochs,
            Losses losses,
            double gradNorm,
            double learningRate,
            int images,
            double seconds,
            double waitedSeconds,
            List<Double> deviceSeconds,
            double secondsLeft,
            long residentBytes) {}

    /** So many pictures of the subject's class are there; told before the first is drawn, and after each. */
    void classPicture(int done, int all);

    void stepped(Progress progress);

    /** A step whose losses or gradients were not finite, so that it changed nothing; there is no progress of it. */
    void skipped(long step);

    /** @param distance of the average of the student's weights from them, in their length */
    void averaged(double distance);

    /** On the uploading thread, when the checkpoint is complete in the store. */
    void checkpointStored(long step, int epoch, boolean last, double uploadSeconds);

    /** On the uploading thread, when the store did not take a checkpoint; the run ends for now. */
    void checkpointFailed(double seconds);

    void samplesRendered(int epoch, long step, List<String> keys);
}
