package dev.distillery.trainer.run;

import ai.djl.ndarray.NDManager;
import dev.distillery.diffusion.distill.Distillation;
import dev.distillery.diffusion.distill.Losses;
import dev.distillery.trainer.data.Batches;

/** The three losses on the held-out pairs: the same question each time, so its curve is free of the batches' noise. */
final class HeldOutEvaluation {

    private final Distillation distillation;
    private final Batches batches;
    private final int[] pairs;
    private final int batch;

    HeldOutEvaluation(Distillation distillation, Batches batches, int[] pairs, int batch) {
        this.distillation = distillation;
        this.batches = batches;
        this.pairs = pairs;
        this.batch = batch;
    }

    /** The mean over all held-out pairs. */
    Losses losses() {
        Losses mean = Losses.NONE;
        for (int from = 0; from < pairs.length; from += batch) {
            int to = Math.min(pairs.length, from + batch);
            double share = (double) (to - from) / pairs.length;
            try (NDManager scope = distillation.newScope()) {
                mean = mean.plus(distillation.evaluate(batches.heldOut(scope, pairs, from, to)), share);
            }
        }
        return mean;
    }
}
