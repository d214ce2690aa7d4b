package dev.distillery.trainer.run;

/**
 * {@code state.json} of a checkpoint: where the run stands. Random numbers and the order of data follow from seed and step.
 *
 * @param step steps done
 * @param updates steps that changed the student: all but those that were skipped
 * @param epoch epochs begun
 * @param seed of the run, to refuse a checkpoint of other training
 * @param stepsPerEpoch to refuse a checkpoint of another data set
 * @param seconds spent training so far, over all processes that worked on the run
 * @param overheadSeconds spent beside steps, evaluation and samples so far: on events, metrics and the store
 */
record TrainState(
        long step, long updates, int epoch, long seed, int stepsPerEpoch, double seconds, double overheadSeconds) {

    /** @throws IllegalArgumentException when this is the state of a run with another seed or other data */
    void ensureFits(long runSeed, int runStepsPerEpoch) {
        if (seed != runSeed || stepsPerEpoch != runStepsPerEpoch) {
            throw new IllegalArgumentException("The checkpoint of step " + step + " is of seed " + seed + " and "
                    + stepsPerEpoch + " steps an epoch, but this run has seed " + runSeed + " and " + runStepsPerEpoch);
        }
    }
}
