package dev.distillery.diffusion.distill;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BinaryOperator;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.distillery.diffusion.safetensors.SafetensorsFolder;
import dev.distillery.diffusion.schedule.NoiseSchedule;
import dev.distillery.diffusion.tensor.Ops;
import dev.distillery.diffusion.tensor.Precision;
import dev.distillery.diffusion.tensor.SafetensorsSource;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.tensor.Weights;
import dev.distillery.diffusion.unet.UNet2DCondition;
import dev.distillery.diffusion.unet.UNetConfig;

/**
 * A teacher, its student and the training step: the student predicts the noise of noisy latents, and is pulled to the
 * truth, to the teacher's prediction and to the teacher's block outputs.
 *
 * <p>Owns both networks, the gradients and the optimizer's state. One thread at a time. A step's tensors live in a scope
 * of their own, so memory is flat over steps.
 *
 * @see <a href="https://github.com/okotaku/diffengine/blob/main/diffengine/models/editors/distill_sd/distill_sd_xl.py">
 *     diffengine's DistillSDXL, whose arithmetic this is</a>
 */
public final class Distillation implements AutoCloseable {
    /**
     * @param clip largest global norm of the gradients; they are scaled down to it
     * @param precision of the arithmetic, and of the teacher's matrices and kernels; the student's stay in float32
     */
    public record Settings(
            LossWeights weights,
            SampleWeighting weighting,
            Optimizer.Settings optimizer,
            double clip,
            Precision precision) {
        /** With samples that weigh the same, in float32. */
        public Settings(LossWeights weights, Optimizer.Settings optimizer, double clip) {
            this(weights, SampleWeighting.EQUAL, optimizer, clip, Precision.FP32);
        }
    }

    /**
     * What a step did.
     *
     * @param gradNorm before clipping
     * @param nonFinite where something first was not finite, in the words of the checkpoint; the step then changed nothing
     */
    public record StepResult(Losses losses, double gradNorm, Optional<String> nonFinite) {}

    private final NDManager manager = Torch.newManager();
    private final Settings settings;
    private final NoiseSchedule schedule;
    private final UNet2DCondition teacher;
    private final Student plan;
    private final UNet2DCondition student;
    private final Optimizer optimizer;
    private Losses accumulated = Losses.NONE;
    private Optional<String> nonFinite = Optional.empty();

    /**
     * Loads the teacher and makes the student of its weights.
     *
     * @param teacherFolder its U-Net's folder: {@code config.json} and safetensors
     * @param layout a name of {@link Layouts} in the teacher's family
     */
    public static Distillation create(Path teacherFolder, String layout, Settings settings, NoiseSchedule schedule) {
        UNetConfig config = UNetConfig.read(teacherFolder);
        return new Distillation(teacherFolder, Student.of(config, Layouts.named(config, layout)), settings, schedule);
    }

    private Distillation(Path folder, Student plan, Settings settings, NoiseSchedule schedule) {
        this.settings = settings;
        this.schedule = schedule;
        this.plan = plan;
        teacher = UNet2DCondition.load(folder, manager, settings.precision());
        try (SafetensorsFolder files = SafetensorsFolder.open(folder)) {
            Weights kept = Weights.of(
                    "the student", new KeptTensors(plan.teacherKeys(), SafetensorsSource.of(files, manager)));
            student = new UNet2DCondition(plan.config(), kept);
            kept.check();
        }
        student.parameters().values().forEach(p -> p.setRequiresGradient(true));
        optimizer = settings.optimizer().of(student.parameters(), manager);
    }

    public UNet2DCondition teacher() {
        return teacher;
    }

    public UNet2DCondition student() {
        return student;
    }

    public Student plan() {
        return plan;
    }

    public Optimizer optimizer() {
        return optimizer;
    }

    /** A scope for batches; the caller closes it, and with it whatever a step made of the batch. */
    public NDManager newScope() {
        return manager.newSubManager();
    }

    /** How many arrays the networks, the optimizer and open scopes hold: constant between steps. */
    int liveArrays() {
        return manager.getManagedArrays().size();
    }

    /** One optimizer step on one batch. */
    public StepResult step(Batch batch, double learningRate) {
        accumulate(batch, 1);
        return update(learningRate);
    }

    /**
     * Adds the gradients and losses of a part of a step's batch.
     *
     * @param share the part's samples in those of the whole batch; the shares of a step add up to 1
     */
    public void accumulate(Batch part, double share) {
        try (NDManager scope = newScope()) {
            Losses losses = backward(part, share, scope).losses();
            accumulated = accumulated.plus(losses, share);
            if (!losses.finite() && nonFinite.isEmpty()) {
                nonFinite = Optional.of(nonFiniteOutput(part));
            }
        }
    }

    /** Ends a step: updates the student by what was accumulated, unless that is not finite. */
    public StepResult update(double learningRate) {
        try (NDManager scope = newScope();
                Torch.GradMode off = Torch.gradMode(false)) {
            List<NDArray> gradients = gradients(scope);
            double norm = Ops.clipGradNorm(gradients, settings.clip()).getFloat();
            if (nonFinite.isEmpty() && !Double.isFinite(norm)) {
                nonFinite = Optional.of(nonFiniteGradient(gradients));
            }
            if (nonFinite.isEmpty()) {
                optimizer.step(gradients, learningRate);
            }
            Ops.zero(gradients);
            var result = new StepResult(accumulated, norm, nonFinite);
            accumulated = Losses.NONE;
            nonFinite = Optional.empty();
            return result;
        }
    }

    /** Asks both networks once more and goes through their blocks from the input on. */
    private String nonFiniteOutput(Batch batch) {
        try (NDManager scope = newScope();
                Torch.GradMode off = Torch.gradMode(false)) {
            NDArray noisy = noisy(batch, scope);
            return firstNonFinite(teacher, batch.input(noisy))
                    .map(block -> "the teacher's " + block)
                    .or(() -> firstNonFinite(student, batch.input(noisy)).map(block -> "the student's " + block))
                    .orElse("the losses");
        }
    }

    private Optional<String> firstNonFinite(UNet2DCondition network, UNet2DCondition.Input input) {
        return network.forward(input, settings.precision()).byBlock().entrySet().stream()
                .filter(block -> !Ops.allFinite(block.getValue()))
                .map(Map.Entry::getKey)
                .findFirst();
    }

    /** Goes through the gradients from the output back. */
    private String nonFiniteGradient(List<NDArray> gradients) {
        List<String> keys = List.copyOf(student.parameters().keySet());
        for (int i = keys.size() - 1; i >= 0; i--) {
            if (!Ops.allFinite(gradients.get(i))) {
                return "the gradient of the student's " + keys.get(i);
            }
        }
        return "the gradients' norm";
    }

    /** The losses of a batch, without learning from it. */
    public Losses evaluate(Batch batch) {
        try (NDManager scope = newScope();
                Torch.GradMode off = Torch.gradMode(false)) {
            return compare(batch, scope).losses();
        }
    }

    /**
     * Compares both networks on a batch and adds {@code share * d(total)/d(parameter)} to each parameter's gradient.
     *
     * @param scope keeps the step's tensors
     */
    Comparison backward(Batch batch, double share, NDManager scope) {
        try (Torch.GradMode on = Torch.gradMode(true)) {
            Comparison comparison = compare(batch, scope);
            Torch.backward(comparison.total(), share);
            return comparison;
        }
    }

    /** Every parameter's accumulated gradient, in the parameters' order, attached to {@code scope}. */
    List<NDArray> gradients(NDManager scope) {
        var gradients = new ArrayList<NDArray>();
        for (NDArray parameter : student.parameters().values()) {
            NDArray gradient = parameter.getGradient();
            gradient.attach(scope);
            gradients.add(gradient);
        }
        return gradients;
    }

    /** What both networks say to a batch, and how far they are apart; attached to the scope it was made in. */
    record Comparison(
            NDArray prediction, NDArray target, NDArray task, NDArray output, NDArray feature, NDArray total) {
        Losses losses() {
            return new Losses(task.getFloat(), output.getFloat(), feature.getFloat(), total.getFloat());
        }
    }

    Comparison compare(Batch batch, NDManager scope) {
        NDArray noisy = noisy(batch, scope);
        NDArray truth = schedule.target(own(batch.latents(), scope), batch.noise(), batch.timesteps());
        UNet2DCondition.Output taught;
        try (Torch.GradMode off = Torch.gradMode(false)) {
            taught = teacher.forward(batch.input(noisy), settings.precision());
        }
        UNet2DCondition.Output learnt = student.forward(batch.input(noisy), settings.precision());
        BinaryOperator<NDArray> difference = difference(batch, scope);
        NDArray task = difference.apply(learnt.prediction(), truth);
        NDArray output = difference.apply(learnt.prediction(), taught.prediction());
        NDArray feature = plan.features().stream()
                .map(pair -> difference.apply(
                        pair.student().of(learnt), pair.teacher().of(taught)))
                .reduce(NDArray::add)
                .orElseThrow();
        LossWeights w = settings.weights();
        NDArray total = Ops.call("weighted_sum", List.of(task, output, feature), w.task(), w.output(), w.feature());
        NDArray prediction = Precision.FP32.of(learnt.prediction(), scope);
        NDArray target = Precision.FP32.of(taught.prediction(), scope);
        return new Comparison(prediction, target, task, output, feature, total);
    }

    private NDArray noisy(Batch batch, NDManager scope) {
        return schedule.addNoise(own(batch.latents(), scope), batch.noise(), batch.timesteps());
    }

    /** A copy in this scope: what is computed from it is the scope's, too. */
    private static NDArray own(NDArray array, NDManager scope) {
        NDArray copy = array.duplicate();
        copy.attach(scope);
        return copy;
    }

    /** The mean square error of two arrays, each sample of the batch weighted. */
    private BinaryOperator<NDArray> difference(Batch batch, NDManager scope) {
        if (settings.weighting() instanceof SampleWeighting.Equal) {
            return Ops::mse;
        }
        double[] snr = schedule.signalToNoise(batch.timesteps());
        float[] weights = new float[snr.length];
        for (int i = 0; i < snr.length; i++) {
            weights[i] = (float) settings.weighting().weight(snr[i], schedule.prediction());
        }
        NDArray ofSamples = scope.create(weights);
        return (x, y) -> Ops.call("mse_of_samples", x, y, ofSamples);
    }

    @Override
    public void close() {
        manager.close();
    }
}
