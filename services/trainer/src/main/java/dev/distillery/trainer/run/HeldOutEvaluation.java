package dev.distillery.trainer.run;

import java.util.List;

import ai.djl.ndarray.NDManager;
import dev.distillery.diffusion.distill.Distillation;
import dev.distillery.diffusion.distill.Losses;
import dev.distillery.trainer.data.Batches;

/** The three losses on the held-out pairs: the same question each time, so its curve is free of the batches' noise. */
final class HeldOutEvaluation {

    private final Distillation distillation;
    private final Batches batches;
    private final int[] pairs;
    private final List<List<Integer>> places; // batch by batch

    /**
     * @param pairs that are held out
     * @param places of the pairs of each batch among them
     */
    HeldOutEvaluation(Distillation distillation, Batches batches, int[] pairs, List<List<Integer>> places) {
        this.distillation = distillation;
        this.batches = batches;
        this.pairs = pairs;
        this.places = places;
    }

    /** The mean over all held-out pairs. */
    Losses losses() {
        Losses mean = Losses.NONE;
        for (List<Integer> batch : places) {
            double share = (double) batch.size() / pairs.length;
            try (NDManager scope = distillation.newScope()) {
                mean = mean.plus(distillation.evaluate(batches.heldOut(scope, pairs, batch)), share);
            }
        }
        return mean;
    }
}
