package dev.distillery.trainer.data;

import java.util.Arrays;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/**
 * The pairs of a data set, parted into those that train and those held out for the evaluation.
 *
 * <p>If nothing else is asked for, a sixteenth is held out, at most 128 pairs; at least one always is, and one always
 * trains. Which ones depends on the number of pairs only, not on the run's seed, so that two runs on the same data are
 * judged on the same pairs. With a single pair it is both.
 *
 * @param train indices into the data set
 * @param heldOut indices into the data set
 */
public record Split(int[] train, int[] heldOut) {

    private static final int HELD_OUT_SHARE = 16;
    private static final int HELD_OUT_MOST = 128;

    /** Holds out the last {@code heldOut} pairs, which were meant for it. */
    public static Split last(int pairs, int heldOut) {
        if (heldOut < 1 || heldOut >= pairs) {
            throw new IllegalArgumentException("Of " + pairs + " pairs, " + heldOut + " cannot be held out");
        }
        return new Split(
                IntStream.range(0, pairs - heldOut).toArray(),
                IntStream.range(pairs - heldOut, pairs).toArray());
    }

    /**
     * Splits {@code pairs} pairs; {@code pairs} must be positive.
     *
     * @param validation portion that is held out
     */
    public static Split of(int pairs, OptionalDouble validation) {
        if (pairs < 1) {
            throw new IllegalArgumentException("A data set needs at least 1 pair to train on but has " + pairs);
        }
        int[] order = Draws.of(0, 0, pairs, "held-out").permutation(pairs);
        if (pairs == 1) {
            return new Split(order, order);
        }
        int wanted = validation.isPresent()
                ? (int) Math.round(pairs * validation.getAsDouble())
                : Math.min(HELD_OUT_MOST, pairs / HELD_OUT_SHARE);
        int heldOut = Math.max(1, Math.min(pairs - 1, wanted));
        return new Split(Arrays.copyOfRange(order, heldOut, pairs), Arrays.copyOf(order, heldOut));
    }
}
