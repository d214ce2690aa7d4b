package dev.distillery.planning;

import java.nio.file.Path;
import java.util.List;
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
import dev.distillery.diffusion.distill.TextLora;
import dev.distillery.diffusion.lora.Lora;
import dev.distillery.diffusion.tensor.Precision;
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

    /** The adapters of each text encoder, if they learn, too. */
    public static Optional<Lora> textLora(TrainRequest request) {
        return request.lora().textEncoderLearningRate() == null
                ? Optional.empty()
                : lora(request).map(lora -> new Lora(lora.rank(), lora.alpha(), Lora.OF_TEXT_ENCODER));
    }

    /** What words a sample has; of a run whose text encoders learn, the place of its prompt among all. */
    public enum Words {
        NONE,
        OF_PAIR,
        OF_CLASS
    }

    /** The prompts of a run that learns a subject, in the order of {@link Words}. */
    public static List<String> prompts(TrainRequest.Subject subject) {
        return subject.preservesPrior()
                ? List.of("", subject.prompt(), subject.classPrompt())
                : List.of("", subject.prompt());
    }

    /** @param pipeline the teacher's diffusers folder */
    public static Distillation.Init init(TrainRequest request, Path pipeline) {
        Optional<Lora> lora = lora(request);
        if (lora.isPresent()) {
            Optional<TextLora> text = textLora(request)
                    .map(ofText -> new TextLora(
                            pipeline,
                            ofText,
                            prompts(request.subject()),
                            request.lora().textEncoderLearningRate()
                                    / request.train().optimizer().learningRate()));
            return new Distillation.Init.Adapted(lora.get(), request.train().seed(), text);
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
