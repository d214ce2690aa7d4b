package dev.distillery.trainer.data;

/**
 * Random numbers that depend on {@code (seed, step, slot, purpose)} only.
 *
 * <p>Nothing is carried from one step to the next, so a resumed run draws exactly what an uninterrupted one would have
 * drawn and no random state has to be saved. The numbers come from Java rather than from torch because torch has one
 * generator for the whole process: a second thread (in the standalone, the encoder) would disturb it. The formulas are
 * fixed here (SplitMix64, Box-Muller over {@link StrictMath}), so the draws are the same on every machine and JDK.
 */
final class Draws {

    private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;
    private static final double UNIT_53_BITS = 0x1.0p-53;

    private long state;

    private Draws(long state) {
        this.state = state;
    }

    /** Numbers for one use; {@code purpose} keeps, for example, the noise apart from the posterior sample. */
    static Draws of(long seed, long step, long slot, String purpose) {
        long state = mix(seed + GOLDEN_GAMMA);
        state = mix(state ^ (step + GOLDEN_GAMMA));
        state = mix(state ^ (slot + GOLDEN_GAMMA));
        for (int i = 0; i < purpose.length(); i++) {
            state = mix(state ^ (purpose.charAt(i) + GOLDEN_GAMMA));
        }
        return new Draws(state);
    }

    /** Fills {@code target[from, to)} with standard normal numbers. */
    void normal(float[] target, int from, int to) {
        for (int i = from; i < to; i += 2) {
            double radius = StrictMath.sqrt(-2.0 * StrictMath.log(1.0 - unit())); // 1 - unit() is in (0, 1]
            double angle = 2.0 * Math.PI * unit();
            target[i] = (float) (radius * StrictMath.cos(angle));
            if (i + 1 < to) {
                target[i + 1] = (float) (radius * StrictMath.sin(angle));
            }
        }
    }

    /** A whole number in {@code [0, bound)}. */
    int below(int bound) {
        return (int) (unit() * bound);
    }

    /** The numbers 0 to {@code n - 1} in random order (Fisher-Yates). */
    int[] permutation(int n) {
        int[] order = new int[n];
        for (int i = 0; i < n; i++) {
            int other = below(i + 1);
            order[i] = order[other];
            order[other] = i;
        }
        return order;
    }

    /** A number in {@code [0, 1)}. */
    double unit() {
        state += GOLDEN_GAMMA;
        return (mix(state) >>> 11) * UNIT_53_BITS;
    }

    /** The finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). */
    private static long mix(long z) {
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
