package dev.distillery.trainer.run;

import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;

import dev.distillery.diffusion.distill.Adafactor;
import dev.distillery.diffusion.distill.AdamW;
import dev.distillery.diffusion.distill.Distillation;
import dev.distillery.diffusion.distill.Ema;
import dev.distillery.diffusion.distill.FeaturePoints;
import dev.distillery.diffusion.distill.Layout;
import dev.distillery.diffusion.distill.Layouts;
import dev.distillery.diffusion.distill.LossWeights;
import dev.distillery.diffusion.distill.Objective;
import dev.distillery.diffusion.distill.Optimizer;
import dev.distillery.diffusion.distill.SampleWeighting;
import dev.distillery.diffusion.tensor.Precision;
import dev.distillery.diffusion.unet.UNetConfig;
import dev.distillery.events.TrainRequest;
import dev.distillery.trainer.data.Noise;
import dev.distillery.trainer.data.Sampling;
import dev.distillery.trainer.data.Timesteps;
import dev.distillery.trainer.run.TrainingPlan.Every;

/** What a request asks of the training, in the terms of this package. */
final class Settings {

    private Settings() {}

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

    static Layout layout(TrainRequest request, UNetConfig teacher) {
        return Layouts.of(teacher, request.student().layout(), request.student().keep());
    }

    static Distillation.Init init(TrainRequest request) {
        return switch (request.student().init()) {
            case "teacher" -> new Distillation.Init.Teacher();
            case "random" -> new Distillation.Init.Random(request.train().seed());
            default ->
                throw new IllegalArgumentException("'student.init' must be one of random, teacher but was '"
                        + request.student().init() + "'");
        };
    }

    static Distillation.Settings distillation(TrainRequest request) {
        TrainRequest.Train train = request.train();
        TrainRequest.Loss loss = train.loss();
        boolean plain = request.student().layout().equals(Layouts.TEACHER); // nothing to distil
        return new Distillation.Settings(
                new Objective(
                        new LossWeights(loss.task(), plain ? 0 : loss.output(), plain ? 0 : loss.feature()),
                        weighting(loss),
                        optional(loss.huber()),
                        FeaturePoints.valueOf(
                                loss.featurePoints().toUpperCase(Locale.ROOT).replace('-', '_')),
                        loss.normalize().equals("teacher")),
                optimizer(train.optimizer()),
                ema(train.ema()),
                train.clip(),
                Precision.valueOf(train.precision().toUpperCase(Locale.ROOT)),
                train.gradientCheckpointing());
    }

    static Sampling sampling(TrainRequest.Train train, int timesteps) {
        TrainRequest.Timesteps range = train.timesteps();
        TrainRequest.Noise noise = train.noise();
        return new Sampling(
                new Timesteps(timesteps, range.begin(), range.end(), range.multiplier()),
                new Noise(noise.offset(), optional(noise.pyramid()), noise.perturbation()),
                train.captionDropout(),
                train.seed());
    }

    private static OptionalDouble optional(Double value) {
        return value == null ? OptionalDouble.empty() : OptionalDouble.of(value);
    }

    private static Optional<Ema.Settings> ema(TrainRequest.Ema ema) {
        return Optional.ofNullable(ema.decay())
                .map(decay ->
                        new Ema.Settings(decay, ema.everySteps(), ema.device().equals("cpu")));
    }

    private static SampleWeighting weighting(TrainRequest.Loss loss) {
        if (loss.snrGamma() != null) {
            return new SampleWeighting.MinSnr(loss.snrGamma());
        }
        return loss.debiased() ? new SampleWeighting.Debiased() : SampleWeighting.EQUAL;
    }

    private static Optimizer.Settings optimizer(TrainRequest.Optimizer optimizer) {
        return switch (optimizer.type()) {
            case "adamw" -> AdamW.Settings.withWeightDecay(optimizer.weightDecay());
            case "adafactor" -> Adafactor.Settings.withWeightDecay(optimizer.weightDecay());
            default ->
                throw new IllegalArgumentException(
                        "'train.optimizer.type' must be one of adafactor, adamw but was '" + optimizer.type() + "'");
        };
    }
}
