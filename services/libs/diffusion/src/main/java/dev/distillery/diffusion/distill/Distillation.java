package dev.distillery.diffusion.distill;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.distillery.diffusion.clip.PromptEncoder;
import dev.distillery.diffusion.lora.Lora;
import dev.distillery.diffusion.schedule.NoiseSchedule;
import dev.distillery.diffusion.tensor.Ops;
import dev.distillery.diffusion.tensor.Precision;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.unet.UNet2DCondition;
import dev.distillery.diffusion.unet.UNetConfig;

/**
 * A teacher, its student and the training step: the student predicts the noise of noisy latents, and is pulled to the
 * truth, to the teacher's prediction and to the teacher's block outputs. Without a teacher the step is that of fine-tuning.
 *
 * <p>Owns both networks, the gradients and the optimizer's state. One thread at a time. A step's tensors live in a scope
 * of their own, so memory is flat over steps.
 *
 * <p>On several devices, each has a replica of both networks and takes its parts of the batch, beside the others; their
 * gradients are added, the first device makes the optimizer's one step, and the others take its weights.
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
     * @param taught whether there is a teacher; without one the task alone is learnt, and the other losses are 0
     */
    public record Settings(
            Objective objective,
            Optimizer.Settings optimizer,
            Optional<Ema.Settings> ema,
            double clip,
            Precision precision,
            boolean recompute,
            boolean taught) {

        /** Of a student that is taught. */
        public Settings(
                Objective objective,
                Optimizer.Settings optimizer,
                Optional<Ema.Settings> ema,
                double clip,
                Precision precision,
                boolean recompute) {
            this(objective, optimizer, ema, clip, precision, recompute, true);
        }
    }

    /**
     * What a step did.
     *
     * @param gradNorm before clipping
     * @param nonFinite where something first was not finite, in the words of the checkpoint; the step then changed nothing
     * @param deviceSeconds that each device worked on its parts
     */
    public record StepResult(Losses losses, double gradNorm, Optional<String> nonFinite, List<Double> deviceSeconds) {}

    /**
     * A part of a step's batch.
     *
     * @param share its samples in those of the whole batch; the shares of a step add up to 1
     * @param batch made where it is used, in a scope that is closed afterwards
     */
    public record Part(double share, Function<NDManager, Batch> batch) {}

    private final Settings settings;
    private final Student plan;
    private final List<Replica> replicas;
    private final Replica first;
    private final ExecutorService workers;
    private final Optimizer optimizer;
    private final Map<String, Lora> loras;
    private final Optional<Ema> ema;

    /** What a student's first weights are. */
    public sealed interface Init {
        /** Those of the teacher that the layout keeps. */
        record Teacher() implements Init {}

        /** Random ones, as PyTorch's layers begin. */
        record Random(long seed) implements Init {}

        /**
         * Those of the teacher, which stay as they are, in a teacher's precision; a LoRA beside them learns.
         *
         * @param text of the text encoders; empty: prompts come encoded
         */
        record Adapted(Lora lora, long seed, Optional<TextLora> text) implements Init {}
    }

    /** As the other, on the best device of this machine. */
    public static Distillation create(
            Path teacherFolder, Layout layout, Init init, Settings settings, NoiseSchedule schedule) {
        return create(teacherFolder, layout, init, settings, schedule, List.of(Torch.defaultDevice()));
    }

    /**
     * Loads the teacher and makes the student.
     *
     * @param teacherFolder its U-Net's folder: {@code config.json} and safetensors
     * @param layout of this teacher
     * @param devices each of which gets a replica of both; the first has the optimizer's state as well
     */
    public static Distillation create(
            Path teacherFolder,
            Layout layout,
            Init init,
            Settings settings,
            NoiseSchedule schedule,
            List<Device> devices) {
        return new Distillation(
                teacherFolder, Student.of(UNetConfig.read(teacherFolder), layout), init, settings, schedule, devices);
    }

    private Distillation(
            Path folder, Student plan, Init init, Settings settings, NoiseSchedule schedule, List<Device> devices) {
        this.settings = settings;
        this.plan = plan;
        replicas = devices.stream()
                .map(device -> new Replica(folder, plan, init, settings, schedule, device))
                .toList();
        first = replicas.get(0);
        workers = Executors.newFixedThreadPool(replicas.size(), task -> {
            Thread thread = new Thread(task, "replica");
            thread.setDaemon(true);
            return thread;
        });
        optimizer = optimizer(init);
        loras = loras(init);
        ema = settings.ema().map(average -> new Ema(average, learning()));
    }

    private Optimizer optimizer(Init init) {
        if (init instanceof Init.Adapted adapted && adapted.text().isPresent()) {
            List<ParameterGroups.Group> groups = List.of(
                    new ParameterGroups.Group(
                            promptEncoder().orElseThrow().adapters(),
                            adapted.text().get().learningRate()),
                    new ParameterGroups.Group(student().adapters(), 1)); // as learning() has them
            return new ParameterGroups(settings.optimizer(), groups, first.manager());
        }
        return settings.optimizer().of(learning(), first.manager());
    }

    private Map<String, Lora> loras(Init init) {
        var loras = new LinkedHashMap<String, Lora>();
        if (init instanceof Init.Adapted adapted) {
            loras.put("unet", adapted.lora());
            promptEncoder().ifPresent(encoder -> encoder.encoders()
                    .forEach(folder ->
                            loras.put(folder, adapted.text().orElseThrow().lora())));
        }
        return loras;
    }

    /** The LoRA that learns, by the folder's name of what it adapts; empty if none does. */
    public Map<String, Lora> loras() {
        return loras;
    }

    /** The text encoders with their LoRA, if they learn. It stays this one's. */
    public Optional<PromptEncoder> promptEncoder() {
        return first.prompts().map(LearningPrompts::encoder);
    }

    /** Empty if the student is not taught. */
    public Optional<UNet2DCondition> teacher() {
        return first.teacher();
    }

    public UNet2DCondition student() {
        return first.student();
    }

    /** What learns, by its keys: the student's parameters, or those of its LoRA and of its text encoders'. */
    public Map<String, NDArray> learning() {
        return first.learning();
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
        return first.manager().newSubManager();
    }

    /** How many arrays the networks, the optimizer and open scopes hold: constant between steps. */
    int liveArrays() {
        return replicas.stream()
                .mapToInt(replica -> replica.manager().getManagedArrays().size())
                .sum();
    }

    /** One optimizer step on one batch. */
    public StepResult step(Batch batch, double learningRate) {
        accumulate(batch, 1);
        return update(learningRate);
    }

    /** How many parts of a batch are worked on beside each other. */
    public int replicas() {
        return replicas.size();
    }

    /** Adds the gradients and losses of one part of a step's batch, on the first device. */
    public void accumulate(Batch part, double share) {
        first.accumulate(part, share);
    }

    /** Adds the gradients and losses of parts of a step's batch; the devices take turns in their order. */
    public void accumulate(List<Part> parts) {
        if (replicas.size() == 1) {
            parts.forEach(part -> accumulate(first, part));
            return;
        }
        List<Future<?>> work = new ArrayList<>();
        for (int i = 0; i < replicas.size(); i++) {
            int turn = i;
            work.add(workers.submit(() -> {
                for (int part = turn; part < parts.size(); part += replicas.size()) {
                    accumulate(replicas.get(turn), parts.get(part));
                }
            }));
        }
        work.forEach(Distillation::await);
    }

    private static void accumulate(Replica replica, Part part) {
        try (NDManager scope = replica.manager().newSubManager()) {
            replica.accumulate(part.batch().apply(scope), part.share());
        }
    }

    private static void await(Future<?> work) {
        try {
            work.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("Interrupted in a step", e);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e.getCause());
        }
    }

    /** Ends a step: updates the student by what was accumulated, unless that is not finite. */
    public StepResult update(double learningRate) {
        try (NDManager scope = newScope();
                Torch.GradMode off = Torch.gradMode(false)) {
            List<NDArray> gradients = first.gradients(scope);
            Losses losses = first.accumulated().losses();
            for (Replica other : replicas.subList(1, replicas.size())) {
                losses = losses.plus(other.accumulated().losses(), 1);
                try (NDManager theirs = other.manager().newSubManager()) {
                    Ops.addAll(gradients, other.gradients(theirs));
                }
            }
            Optional<String> nonFinite = replicas.stream()
                    .flatMap(replica -> replica.accumulated().nonFinite().stream())
                    .findFirst();
            double norm = Ops.clipGradNorm(gradients, settings.clip()).getFloat();
            if (nonFinite.isEmpty() && !Double.isFinite(norm)) {
                nonFinite = Optional.of(first.nonFiniteGradient(gradients));
            }
            if (nonFinite.isEmpty()) {
                optimizer.step(gradients, learningRate);
                ema.ifPresent(average -> average.stepped(optimizer.steps()));
                shareWeights();
            }
            List<Double> seconds = replicas.stream()
                    .map(replica -> replica.accumulated().seconds())
                    .toList();
            replicas.forEach(Replica::reset);
            return new StepResult(losses, norm, nonFinite, seconds);
        }
    }

    /** Goes on after so many updates; the caller has filled in the weights, their average and the optimizer's state. */
    public void resume(long updates) {
        optimizer.resume(updates);
        shareWeights();
    }

    private void shareWeights() {
        for (Replica other : replicas.subList(1, replicas.size())) {
            Ops.copy(other.parameters(), first.parameters());
        }
    }

    /** The losses of a batch, without learning from it. */
    public Losses evaluate(Batch batch) {
        return first.evaluate(batch);
    }

    /** As {@link Replica#backward}, on the first device. */
    Replica.Terms backward(Batch batch, double share, NDManager scope) {
        return first.backward(batch, share, scope);
    }

    /** Every parameter's accumulated gradient, in the parameters' order, attached to {@code scope}. */
    List<NDArray> gradients(NDManager scope) {
        return first.gradients(scope);
    }

    @Override
    public void close() {
        ema.ifPresent(Ema::close);
        workers.shutdown();
        replicas.forEach(Replica::close);
    }
}
