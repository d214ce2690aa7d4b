package dev.distillery.trainer.data;

import java.util.Arrays;

/**
 * The pairs of a data set, parted into those that train and those held out for the evaluation.
 *
 * <p>A sixteenth is held out, at least one pair and at most 128. Which ones depends on the number of pairs only, not on
 * the run's seed, so that two runs on the same data are judged on the same pairs. With a single pair it is both.
 *
 * @param train indices into the data set
 * @param heldOut indices into the data set
 */
public record Split(int[] train, int[] heldOut) {

    private static final int HELD_OUT_SHARE = 16;
    private static final int HELD_OUT_MOST = 128;

    /** Splits {@code pairs} pairs; {@code pairs} must be positive. */
    public static Split of(int pairs) {
        if (pairs < 1) {
            throw new IllegalArgumentException("A data set needs at least 1 pair to train on but has " + pairs);
        }
        int[] order = Draws.of(0, 0, pairs, "held-out").permutation(pairs);
        if (pairs == 1) {
            return new Split(order, order);
        }
        int heldOut = Math.max(1, Math.min(HELD_OUT_MOST, pairs / HELD_OUT_SHARE));
        return new Split(Arrays.copyOfRange(order, heldOut, pairs), Arrays.copyOf(order, heldOut));
    }
}
