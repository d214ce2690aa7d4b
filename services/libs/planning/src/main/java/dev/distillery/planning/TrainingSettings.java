package dev.distillery.planning;

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
import dev.distillery.diffusion.unet.Lora;
import dev.distillery.diffusion.unet.UNetConfig;
import dev.distillery.events.TrainRequest;

/** What a request asks of the training step, in the terms of the models. */
public final class TrainingSettings {

    private TrainingSettings() {}

    public static Layout layout(TrainRequest request, UNetConfig teacher) {
        return Layouts.of(teacher, request.student().layout(), request.student().keep());
    }

    /** The adapters that learn, if it is they. */
    public static Optional<Lora> lora(TrainRequest request) {
        TrainRequest.Lora lora = request.lora();
        return lora.learns()
                ? Optional.of(new Lora(lora.rank(), lora.alpha() == null ? lora.rank() : lora.alpha(), lora.targets()))
                : Optional.empty();
    }

    public static Distillation.Init init(TrainRequest request) {
        Optional<Lora> lora = lora(request);
        if (lora.isPresent()) {
            return new Distillation.Init.Adapted(lora.get(), request.train().seed());
        }
        return switch (request.student().init()) {
            case "teacher" -> new Distillation.Init.Teacher();
            case "random" -> new Distillation.Init.Random(request.train().seed());
            default ->
                throw new IllegalArgumentException("'student.init' must be one of random, teacher but was '"
                        + request.student().init() + "'");
        };
    }

    public static Distillation.Settings distillation(TrainRequest request) {
        TrainRequest.Train train = request.train();
        TrainRequest.Loss loss = train.loss();
        boolean plain = !request.distils() || request.student().layout().equals(Layouts.TEACHER); // nothing to distil
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
                train.gradientCheckpointing(),
                request.distils());
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
