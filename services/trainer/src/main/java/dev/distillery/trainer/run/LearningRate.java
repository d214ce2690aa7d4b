package dev.distillery.trainer.run;

/**
 * The learning rate of each step. The formulas are those of diffusers' {@code get_scheduler} (0.35.1,
 * {@code optimization.py}); with warm-up the first step therefore has rate 0, as there.
 */
public sealed interface LearningRate {

    /** The rate of step {@code step}, counted from 0. */
    double at(long step);

    /** By the request's name: {@code constant}, {@code linear} or {@code cosine}. */
    static LearningRate of(String type, double base, long warmup, long steps) {
        LearningRate rate =
                switch (type) {
                    case "constant" -> new Constant(base);
                    case "linear" -> new Linear(base, warmup, steps);
                    case "cosine" -> new Cosine(base, warmup, steps);
                    default ->
                        throw new IllegalArgumentException(
                                "'train.schedule.type' must be one of constant, linear, cosine but was '" + type + "'");
                };
        return new WarmUp(rate, base, warmup);
    }

    /** Rises from 0 to {@code base} in {@code warmup} steps, then follows {@code then}. */
    record WarmUp(LearningRate then, double base, long warmup) implements LearningRate {
        @Override
        public double at(long step) {
            return step < warmup ? base * step / warmup : then.at(step);
        }
    }

    /** The same rate throughout. */
    record Constant(double base) implements LearningRate {
        @Override
        public double at(long step) {
            return base;
        }
    }

    /** Falls in a straight line to 0 at the last step. */
    record Linear(double base, long warmup, long steps) implements LearningRate {
        @Override
        public double at(long step) {
            return base * Math.max(0, (double) (steps - step) / Math.max(1, steps - warmup));
        }
    }

    /** Falls along half a cosine to 0 at the last step. */
    record Cosine(double base, long warmup, long steps) implements LearningRate {
        @Override
        public double at(long step) {
            double progress = (double) (step - warmup) / Math.max(1, steps - warmup);
            return base * Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)));
        }
    }
}
