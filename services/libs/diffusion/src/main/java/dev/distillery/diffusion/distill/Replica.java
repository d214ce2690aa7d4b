package dev.distillery.diffusion.distill;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BinaryOperator;
import java.util.function.Consumer;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.safetensors.SafetensorsFolder;
import dev.distillery.diffusion.schedule.NoiseSchedule;
import dev.distillery.diffusion.tensor.NarrowSource;
import dev.distillery.diffusion.tensor.Ops;
import dev.distillery.diffusion.tensor.Precision;
import dev.distillery.diffusion.tensor.SafetensorsSource;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.tensor.Weights;
import dev.distillery.diffusion.unet.Trace;
import dev.distillery.diffusion.unet.UNet2DCondition;
import dev.distillery.diffusion.unet.UNetConfig;

/** Teacher and student on one device: what a part of a batch costs and teaches. One thread at a time. */
final class Replica implements AutoCloseable {
    private final NDManager manager;
    private final Distillation.Settings settings;
    private final NoiseSchedule schedule;
    private final Optional<UNet2DCondition> teacher;
    private final UNet2DCondition student;
    private final List<FeaturePoints.Pair> features;
    private final Set<String> sites; // what is compared of the student
    private final Optional<LearningPrompts> prompts;
    private final Map<String, NDArray> learning = new LinkedHashMap<>();
    private Accumulated accumulated = Accumulated.NOTHING;

    /**
     * What came together since the gradients were last zero.
     *
     * @param nonFinite where something first was not finite
     * @param seconds spent on it
     */
    record Accumulated(Losses losses, Optional<String> nonFinite, double seconds) {
        static final Accumulated NOTHING = new Accumulated(Losses.NONE, Optional.empty(), 0);
    }

    Replica(
            Path folder,
            Student plan,
            Distillation.Init init,
            Distillation.Settings settings,
            NoiseSchedule schedule,
            Device device) {
        this.settings = settings;
        this.schedule = schedule;
        manager = Torch.newManager(device);
        UNetConfig teacherConfig = UNetConfig.read(folder);
        teacher = settings.taught()
                ? Optional.of(UNet2DCondition.load(folder, manager, settings.precision()))
                : Optional.empty();
        try (SafetensorsFolder files = SafetensorsFolder.open(folder)) {
            Weights.Source source = init instanceof Distillation.Init.Random random
                    ? new RandomTensors(UNet2DCondition.parameterShapes(plan.config()), random.seed(), manager)
                    : new KeptTensors(plan.teacherKeys(), SafetensorsSource.of(files, manager));
            if (init instanceof Distillation.Init.Adapted adapted) {
                Weights.Source narrow = new NarrowSource(source, settings.precision());
                Map<String, Shape> shapes = UNet2DCondition.parameterShapes(plan.config());
                source = adapted.lora().beside(narrow, shapes, adapted.seed(), manager);
            }
            Weights kept = Weights.of("the student", source);
            student = new UNet2DCondition(plan.config(), kept);
            kept.check();
        }
        prompts = init instanceof Distillation.Init.Adapted adapted
                ? adapted.text().map(text -> new LearningPrompts(text, adapted.seed(), settings.precision(), manager))
                : Optional.empty();
        prompts.ifPresent(encoders -> learning.putAll(encoders.adapters())); // in the order of the forward pass
        learning.putAll(student.adapters().isEmpty() ? student.parameters() : student.adapters());
        features = settings.taught() ? settings.objective().points().pairs(teacherConfig, plan) : List.of();
        sites = settings.taught()
                ? settings.objective().sites(teacherConfig, plan)
                : Set.of(UNet2DCondition.PREDICTION);
        learning.values().forEach(p -> p.setRequiresGradient(true));
    }

    Map<String, NDArray> learning() {
        return Collections.unmodifiableMap(learning);
    }

    /** Those that are encoded here. */
    Optional<LearningPrompts> prompts() {
        return prompts;
    }

    /** The batch as the networks see it. */
    private Batch encoded(Batch batch, NDManager scope) {
        return prompts.map(encoders -> encoders.encoded(batch, scope)).orElse(batch);
    }

    NDManager manager() {
        return manager;
    }

    Optional<UNet2DCondition> teacher() {
        return teacher;
    }

    UNet2DCondition student() {
        return student;
    }

    List<NDArray> parameters() {
        return List.copyOf(learning().values());
    }

    /** Adds the gradients and losses of a part of a step's batch. */
    void accumulate(Batch part, double share) {
        long started = System.nanoTime();
        try (NDManager scope = manager.newSubManager()) {
            Losses losses =
                    backward(part, share, scope).losses(settings.objective().weights());
            Optional<String> nonFinite = accumulated.nonFinite();
            if (!losses.finite() && nonFinite.isEmpty()) {
                nonFinite = Optional.of(nonFiniteOutput(part));
            }
            accumulated = new Accumulated(
                    accumulated.losses().plus(losses, share),
                    nonFinite,
                    accumulated.seconds() + (System.nanoTime() - started) / 1e9);
        }
    }

    Accumulated accumulated() {
        return accumulated;
    }

    /** Begins again, with gradients of zero. */
    void reset() {
        try (NDManager scope = manager.newSubManager();
                Torch.GradMode off = Torch.gradMode(false)) {
            Ops.zero(gradients(scope));
        }
        accumulated = Accumulated.NOTHING;
    }

    /** Asks both networks once more and goes through their blocks from the input on. */
    private String nonFiniteOutput(Batch batch) {
        try (NDManager scope = manager.newSubManager();
                Torch.GradMode off = Torch.gradMode(false)) {
            UNet2DCondition.Input input = encoded(batch, scope).input(noisy(batch, scope));
            if (!Ops.allFinite(input.promptEmbeds())) {
                return "the prompts' embeddings";
            }
            return teacher.flatMap(network -> firstNonFinite(network, input))
                    .map(block -> "the teacher's " + block)
                    .or(() -> firstNonFinite(student, input).map(block -> "the student's " + block))
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
    String nonFiniteGradient(List<NDArray> gradients) {
        List<String> keys = List.copyOf(learning().keySet());
        for (int i = keys.size() - 1; i >= 0; i--) {
            if (!Ops.allFinite(gradients.get(i))) {
                return "the gradient of the student's " + keys.get(i);
            }
        }
        return "the gradients' norm";
    }

    /** The losses of a batch, without learning from it. */
    Losses evaluate(Batch batch) {
        try (NDManager scope = manager.newSubManager();
                Torch.GradMode off = Torch.gradMode(false)) {
            NDArray noisy = noisy(batch, scope);
            Map<String, NDArray> learnt =
                    student.forward(encoded(batch, scope).input(noisy), settings.precision(), sites);
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
        try (Trace trace = trace(batch, noisy, scope)) {
            var comparison = new Comparison(trace::at, scope);
            Terms terms = compare(comparison, batch, noisy, share, scope);
            trace.backward(comparison.gradients());
            return terms;
        }
    }

    /** Of the student's pass, and of the text encoders' before it. */
    private Trace trace(Batch batch, NDArray noisy, NDManager scope) {
        try (Torch.GradMode on = Torch.gradMode(true)) {
            UNet2DCondition.Input input = encoded(batch, scope).input(noisy);
            return student.trace(input, settings.precision(), sites, settings.recompute(), prompts.isPresent());
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
        NDArray truth = schedule.target(own(batch.latents(), scope), batch.noise(), batch.timesteps());
        NDArray task = student.with(UNet2DCondition.PREDICTION, truth, difference, share * w.task());
        if (teacher.isEmpty()) {
            NDArray none = scope.create(0f);
            return new Terms(student.at(UNet2DCondition.PREDICTION), truth, task, none, none);
        }
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
            teacher.get().forward(batch.input(noisy), settings.precision(), listeners);
        }
        NDArray output = student.with(UNet2DCondition.PREDICTION, target.get(), difference, share * w.output());
        return new Terms(student.at(UNet2DCondition.PREDICTION), target.get(), task, output, feature);
    }

    /** Every parameter's accumulated gradient, in the parameters' order, attached to {@code scope}. */
    List<NDArray> gradients(NDManager scope) {
        var gradients = new ArrayList<NDArray>();
        for (NDArray parameter : learning().values()) {
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
        prompts.ifPresent(LearningPrompts::close);
        manager.close();
    }
}
