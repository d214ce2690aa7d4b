package dev.distillery.trainer.run;

/**
 * How far a run goes and what it does on the way. Steps are counted from 1 here: step n is done when n optimizer steps are.
 *
 * @param steps optimizer steps of the whole run
 * @param stepsPerEpoch optimizer steps that visit every training pair once
 * @param checkpoint when to keep the student
 * @param sampleEveryEpochs when to draw samples, besides the end; 0 for the end only
 */
public record TrainingPlan(long steps, int stepsPerEpoch, Every checkpoint, int sampleEveryEpochs) {

    /** An interval in epochs or in steps. */
    public sealed interface Every {
        record Epochs(int epochs) implements Every {}

        record Steps(long steps) implements Every {}
    }

    public TrainingPlan {
        if (steps < 1) {
            throw new IllegalArgumentException("A run needs at least 1 step but was given " + steps);
        }
    }

    /** Epochs of the run, the last of which may be cut short. */
    public int epochs() {
        return Math.toIntExact((steps + stepsPerEpoch - 1) / stepsPerEpoch);
    }

    /** The epoch, from 1, in which step {@code done} was the last to be done; 0 before the first. */
    public int epoch(long done) {
        return Math.toIntExact((done + stepsPerEpoch - 1) / stepsPerEpoch);
    }

    public boolean checkpointAfter(long done) {
        if (done == steps) {
            return true;
        }
        if (checkpoint instanceof Every.Steps every) {
            return done % every.steps() == 0;
        }
        return epochsEnd(done, ((Every.Epochs) checkpoint).epochs());
    }

    public boolean samplesAfter(long done) {
        return done == steps || epochsEnd(done, sampleEveryEpochs);
    }

    /** The held-out pairs are evaluated whenever a checkpoint is taken and at the end of each epoch. */
    public boolean evaluationAfter(long done) {
        return checkpointAfter(done) || epochsEnd(done, 1);
    }

    private boolean epochsEnd(long done, int every) {
        return every > 0 && done % ((long) stepsPerEpoch * every) == 0;
    }
}
