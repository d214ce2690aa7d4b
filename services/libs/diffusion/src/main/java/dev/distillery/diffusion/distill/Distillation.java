package dev.distillery.diffusion.distill;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BinaryOperator;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.distillery.diffusion.safetensors.SafetensorsFolder;
import dev.distillery.diffusion.schedule.NoiseSchedule;
import dev.distillery.diffusion.tensor.Ops;
import dev.distillery.diffusion.tensor.Precision;
import dev.distillery.diffusion.tensor.SafetensorsSource;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.tensor.Weights;
import dev.distillery.diffusion.unet.Trace;
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
     * @param ema of the student's parameters; empty: none
     * @param clip largest global norm of the gradients; they are scaled down to it
     * @param precision of the arithmetic, and of the teacher's matrices and kernels; the student's stay in float32
     * @param recompute whether the student's units are computed again on the way back, to save memory
     */
    public record Settings(
            Objective objective,
            Optimizer.Settings optimizer,
            Optional<Ema.Settings> ema,
            double clip,
            Precision precision,
            boolean recompute) {}

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
    private final Optional<Ema> ema;
    private final List<FeaturePoints.Pair> features;
    private final Set<String> sites; // what is compared of the student
    private Losses accumulated = Losses.NONE;
    private Optional<String> nonFinite = Optional.empty();

    /** What a student's first weights are. */
    public sealed interface Init {
        /** Those of the teacher that the layout keeps. */
        record Teacher() implements Init {}

        /** Random ones, as PyTorch's layers begin. */
        record Random(long seed) implements Init {}
    }

    /**
     * Loads the teacher and makes the student.
     *
     * @param teacherFolder its U-Net's folder: {@code config.json} and safetensors
     * @param layout of this teacher
     */
    public static Distillation create(
            Path teacherFolder, Layout layout, Init init, Settings settings, NoiseSchedule schedule) {
        return new Distillation(
                teacherFolder, Student.of(UNetConfig.read(teacherFolder), layout), init, settings, schedule);
    }

    private Distillation(Path folder, Student plan, Init init, Settings settings, NoiseSchedule schedule) {
        this.settings = settings;
        this.schedule = schedule;
        this.plan = plan;
        teacher = UNet2DCondition.load(folder, manager, settings.precision());
        try (SafetensorsFolder files = SafetensorsFolder.open(folder)) {
            Weights.Source source = init instanceof Init.Random random
                    ? new RandomTensors(UNet2DCondition.parameterShapes(plan.config()), random.seed(), manager)
                    : new KeptTensors(plan.teacherKeys(), SafetensorsSource.of(files, manager));
            Weights kept = Weights.of("the student", source);
            student = new UNet2DCondition(plan.config(), kept);
            kept.check();
        }
        features = settings.objective().points().pairs(teacher.config(), plan);
        sites = Stream.concat(features.stream().map(FeaturePoints.Pair::student), Stream.of(UNet2DCondition.PREDICTION))
                .collect(Collectors.toUnmodifiableSet());
        student.parameters().values().forEach(p -> p.setRequiresGradient(true));
        optimizer = settings.optimizer().of(student.parameters(), manager);
        ema = settings.ema().map(average -> new Ema(average, student.parameters()));
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

    /** The average of the student's parameters, if one is kept. */
    public Optional<Ema> ema() {
        return ema;
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
            Losses losses =
                    backward(part, share, scope).losses(settings.objective().weights());
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
                ema.ifPresent(average -> average.stepped(optimizer.steps()));
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
        var blocks = new ArrayList<String>();
        var listeners = new HashMap<String, Consumer<NDArray>>();
        for (String block : network.blocks()) {
            listeners.put(block, output -> {
                if (!Ops.allFinite(output)) {
                    blocks.add(block);
                }
            });
        }
        network.forward(input, settings.precision(), listeners);
        return blocks.stream().findFirst();
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
            NDArray noisy = noisy(batch, scope);
            Map<String, NDArray> learnt = student.forward(batch.input(noisy), settings.precision(), sites);
            var comparison = new Comparison(learnt::get, scope);
            return compare(comparison, batch, noisy, 0, scope)
                    .losses(settings.objective().weights());
        }
    }

    /**
     * Compares both networks on a batch and adds {@code share * d(total)/d(parameter)} to each parameter's gradient.
     *
     * @param scope keeps the result
     */
    Terms backward(Batch batch, double share, NDManager scope) {
        NDArray noisy = noisy(batch, scope);
        try (Trace trace = student.trace(batch.input(noisy), settings.precision(), sites, settings.recompute())) {
            var comparison = new Comparison(trace::at, scope);
            Terms terms = compare(comparison, batch, noisy, share, scope);
            trace.backward(comparison.gradients());
            return terms;
        }
    }

    /** What both networks predict, and the three terms of the loss, in float32. */
    record Terms(NDArray prediction, NDArray target, NDArray task, NDArray output, NDArray feature) {
        Losses losses(LossWeights w) {
            double t = task.getFloat();
            double o = output.getFloat();
            double f = feature.getFloat();
            return new Losses(t, o, f, w.task() * t + w.output() * o + w.feature() * f);
        }
    }

    /** Runs the teacher beside the student's outputs; each of its features is compared and freed as it comes. */
    private Terms compare(Comparison student, Batch batch, NDArray noisy, double share, NDManager scope) {
        LossWeights w = settings.objective().weights();
        BinaryOperator<NDArray> difference = settings.objective().difference(batch, schedule, scope);
        BinaryOperator<NDArray> featureDifference = settings.objective().featureDifference(difference);
        NDArray feature = scope.create(0f);
        var listeners = new HashMap<String, Consumer<NDArray>>();
        for (FeaturePoints.Pair pair : features) {
            listeners.put(pair.teacher(), taught -> {
                try (NDArray loss = student.with(pair.student(), taught, featureDifference, share * w.feature())) {
                    Ops.add(feature, loss);
                }
            });
        }
        var target = new AtomicReference<NDArray>();
        listeners.put(UNet2DCondition.PREDICTION, taught -> target.set(Precision.FP32.of(taught, scope)));
        try (Torch.GradMode off = Torch.gradMode(false)) {
            teacher.forward(batch.input(noisy), settings.precision(), listeners);
        }
        NDArray truth = schedule.target(own(batch.latents(), scope), batch.noise(), batch.timesteps());
        NDArray task = student.with(UNet2DCondition.PREDICTION, truth, difference, share * w.task());
        NDArray output = student.with(UNet2DCondition.PREDICTION, target.get(), difference, share * w.output());
        return new Terms(student.at(UNet2DCondition.PREDICTION), target.get(), task, output, feature);
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

    private NDArray noisy(Batch batch, NDManager scope) {
        return schedule.addNoise(own(batch.latents(), scope), batch.inputNoise(), batch.timesteps());
    }

    /** A copy in this scope: what is computed from it is the scope's, too. */
    private static NDArray own(NDArray array, NDManager scope) {
        NDArray copy = array.duplicate();
        copy.attach(scope);
        return copy;
    }

    @Override
    public void close() {
        ema.ifPresent(Ema::close);
        manager.close();
    }
}
