package dev.distillery.trainer.data;

import java.util.Arrays;

/**
 * Which pairs each step trains on: every epoch visits every training pair once, in an order that depends on
 * {@code (seed, epoch)} only. The last step of an epoch takes what is left, which may be fewer pairs than a batch.
 */
public final class EpochOrder {

    private final int[] pairs;
    private final int batch;
    private final long seed;
    private int epochInMemory = -1;
    private int[] shuffled = {};

    /** {@code batch} is the number of pairs that one optimizer step sees, over all its micro-batches. */
    public EpochOrder(int[] pairs, int batch, long seed) {
        this.pairs = pairs.clone();
        this.batch = batch;
        this.seed = seed;
    }

    /** Optimizer steps in one epoch, at least 1. */
    public int stepsPerEpoch() {
        return (pairs.length + batch - 1) / batch;
    }

    /** The epoch, from 0, that step {@code step} (from 0) belongs to. */
    public int epochOf(long step) {
        return Math.toIntExact(step / stepsPerEpoch());
    }

    /** The pairs of step {@code step}, counted from 0 over the whole run. */
    public int[] pairsOf(long step) {
        int epoch = epochOf(step);
        if (epoch != epochInMemory) {
            int[] order = Draws.of(seed, epoch, 0, "order").permutation(pairs.length);
            shuffled = Arrays.stream(order).map(i -> pairs[i]).toArray();
            epochInMemory = epoch;
        }
        int from = (int) (step % stepsPerEpoch()) * batch;
        return Arrays.copyOfRange(shuffled, from, Math.min(from + batch, shuffled.length));
    }
}
