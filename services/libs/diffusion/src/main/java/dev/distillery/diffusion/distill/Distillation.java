package dev.distillery.diffusion.distill;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.distillery.diffusion.schedule.NoiseSchedule;
import dev.distillery.diffusion.tensor.Ops;
import dev.distillery.diffusion.tensor.Precision;
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
     */
    public record Settings(LossWeights weights, AdamW.Settings optimizer, double clip, Precision precision) {
        /** In float32. */
        public Settings(LossWeights weights, AdamW.Settings optimizer, double clip) {
            this(weights, optimizer, clip, Precision.FP32);
        }
    }

    /** What a step did. The gradient norm is that before clipping. */
    public record StepResult(Losses losses, double gradNorm) {}

    private final NDManager manager = Torch.newManager();
    private final Settings settings;
    private final NoiseSchedule schedule;
    private final UNet2DCondition teacher;
    private final Student plan;
    private final UNet2DCondition student;
    private final AdamW optimizer;

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
        teacher = UNet2DCondition.load(folder, manager);
        Weights copies =
                Weights.of("the student", new TeacherCopies(plan.teacherKeys(), teacher.parameters(), manager));
        student = new UNet2DCondition(plan.config(), copies);
        copies.check();
        student.parameters().values().forEach(p -> p.setRequiresGradient(true));
        optimizer = new AdamW(settings.optimizer(), student.parameters(), manager);
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

    public AdamW optimizer() {
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
        try (NDManager scope = newScope()) {
            Losses losses = backward(batch, scope).losses();
            List<NDArray> gradients = gradients(scope);
            double norm = Ops.clipGradNorm(gradients, settings.clip()).getFloat();
            if (losses.finite() && Double.isFinite(norm)) {
                optimizer.step(gradients, learningRate);
            }
            Ops.zero(gradients);
            return new StepResult(losses, norm);
        }
    }

    /** The losses of a batch, without learning from it. */
    public Losses evaluate(Batch batch) {
        try (NDManager scope = newScope();
                Torch.GradMode off = Torch.gradMode(false)) {
            return compare(batch, scope).losses();
        }
    }

    /**
     * Compares both networks on a batch and adds d(total)/d(parameter) to each parameter's gradient.
     *
     * @param scope keeps the step's tensors
     */
    Comparison backward(Batch batch, NDManager scope) {
        try (Torch.GradMode on = Torch.gradMode(true)) {
            Comparison comparison = compare(batch, scope);
            Torch.backward(comparison.total());
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
        NDArray latents = batch.latents().duplicate();
        latents.attach(scope);
        NDArray noisy = schedule.addNoise(latents, batch.noise(), batch.timesteps());
        NDArray truth = schedule.target(latents, batch.noise(), batch.timesteps());
        UNet2DCondition.Output taught;
        try (Torch.GradMode off = Torch.gradMode(false)) {
            taught = teacher.forward(batch.input(noisy), settings.precision());
        }
        UNet2DCondition.Output learnt = student.forward(batch.input(noisy), settings.precision());
        NDArray task = Ops.mse(learnt.prediction(), truth);
        NDArray output = Ops.mse(learnt.prediction(), taught.prediction());
        NDArray feature = plan.features().stream()
                .map(pair -> Ops.mse(pair.student().of(learnt), pair.teacher().of(taught)))
                .reduce(NDArray::add)
                .orElseThrow();
        LossWeights w = settings.weights();
        NDArray total = Ops.call("weighted_sum", List.of(task, output, feature), w.task(), w.output(), w.feature());
        NDArray prediction = Precision.FP32.of(learnt.prediction(), scope);
        NDArray target = Precision.FP32.of(taught.prediction(), scope);
        return new Comparison(prediction, target, task, output, feature, total);
    }

    @Override
    public void close() {
        manager.close();
    }
}
