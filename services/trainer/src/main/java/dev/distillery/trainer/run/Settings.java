package dev.distillery.trainer.run;

import java.util.ArrayList;
import java.util.List;

import dev.distillery.diffusion.distill.AdamW;
import dev.distillery.diffusion.distill.Distillation;
import dev.distillery.diffusion.distill.LossWeights;
import dev.distillery.events.TrainRequest;
import dev.distillery.events.Violation;
import dev.distillery.trainer.run.TrainingPlan.Every;

/** What a request asks of the training, in the terms of this package. */
public final class Settings {

    private Settings() {}

    /** What a valid request may ask but this trainer does not do; empty when it does all of it. */
    public static List<Violation> unsupported(TrainRequest request) {
        TrainRequest.Train train = request.train();
        List<Violation> violations = new ArrayList<>();
        require(violations, "fp32".equals(train.precision()), "train.precision", train.precision(), "fp32");
        String optimizer = train.optimizer().type();
        require(violations, "adamw".equals(optimizer), "train.optimizer.type", optimizer, "adamw");
        require(violations, train.accumulate() == 1, "train.accumulate", train.accumulate(), "1");
        Double snrGamma = train.loss().snrGamma();
        require(violations, snrGamma == null, "train.loss.snrGamma", snrGamma, "null");
        return violations;
    }

    private static void require(List<Violation> violations, boolean holds, String path, Object value, String allowed) {
        if (!holds) {
            violations.add(new Violation(path, String.valueOf(value), "this trainer supports " + allowed + " only"));
        }
    }

    static TrainingPlan plan(TrainRequest request, int stepsPerEpoch) {
        TrainRequest.Train train = request.train();
        long steps = train.steps() != null ? train.steps() : (long) train.epochs() * stepsPerEpoch;
        TrainRequest.Checkpoint checkpoint = train.checkpoint();
        Every every = checkpoint.everySteps() != null
                ? new Every.Steps(checkpoint.everySteps())
                : new Every.Epochs(checkpoint.everyEpochs());
        int sampleEvery =
                request.samples().prompts().isEmpty() ? 0 : request.samples().everyEpochs();
        return new TrainingPlan(steps, stepsPerEpoch, every, sampleEvery);
    }

    static LearningRate learningRate(TrainRequest.Train train, long steps) {
        return LearningRate.of(
                train.schedule().type(),
                train.optimizer().learningRate(),
                train.schedule().warmup(),
                steps);
    }

    static Distillation.Settings distillation(TrainRequest.Train train) {
        TrainRequest.Loss loss = train.loss();
        return new Distillation.Settings(
                new LossWeights(loss.task(), loss.output(), loss.feature()),
                AdamW.Settings.withWeightDecay(train.optimizer().weightDecay()),
                train.clip());
    }
}
