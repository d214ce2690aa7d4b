package dev.distillery.trainer.data;

import java.util.Arrays;
import java.util.BitSet;
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
    private static final int HELD_OUT_SHARDS = 8;

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
     * Splits a data set. What is held out comes from few shards, so that an evaluation needs few.
     *
     * @param validation portion that is held out
     */
    public static Split of(LatentsIndex index, OptionalDouble validation) {
        int pairs = index.pairs();
        int heldOut = heldOut(pairs, validation);
        int[] pool = pool(index, heldOut);
        int[] order = Draws.of(0, 0, pairs, "held-out").permutation(pool.length);
        if (pairs == 1) {
            return new Split(order, order);
        }
        var held = new BitSet();
        int[] first = Arrays.stream(order).limit(heldOut).map(i -> pool[i]).toArray();
        Arrays.stream(first).forEach(held::set);
        IntStream rest = pool.length == pairs
                ? Arrays.stream(order).skip(heldOut)
                : IntStream.range(0, pairs).filter(pair -> !held.get(pair));
        return new Split(rest.toArray(), first);
    }

    /** The same, but that what is held out is trained on, too: of a few pictures none is to be spared. */
    public Split withAllTrained(int pairs) {
        return new Split(IntStream.range(0, pairs).toArray(), heldOut);
    }

    /** How many of a data set's pairs are held out. */
    public static int heldOut(int pairs, OptionalDouble validation) {
        int wanted = validation.isPresent()
                ? (int) Math.round(pairs * validation.getAsDouble())
                : Math.min(HELD_OUT_MOST, pairs / HELD_OUT_SHARE);
        return Math.max(1, Math.min(pairs - 1, wanted));
    }

    /** All pairs of some shards, ascending; of all shards if they are few. */
    private static int[] pool(LatentsIndex index, int heldOut) {
        int shards = index.shards().size();
        int[] order = Draws.of(0, 0, shards, "held-out shards").permutation(shards);
        int enough = 0;
        for (int pairs = 0; enough < shards && (enough < HELD_OUT_SHARDS || pairs < 2 * heldOut); enough++) {
            pairs += index.shards().get(order[enough]).pairs();
        }
        return Arrays.stream(order)
                .limit(enough)
                .sorted()
                .flatMap(shard -> IntStream.range(index.firstPair(shard), index.firstPair(shard + 1)))
                .toArray();
    }
}
