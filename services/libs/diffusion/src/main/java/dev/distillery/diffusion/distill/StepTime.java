package dev.distillery.diffusion.distill;

import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleSupplier;
import java.util.stream.DoubleStream;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.distillery.diffusion.tensor.Ops;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.unet.KindsOfUnits;
import dev.distillery.diffusion.unet.StepCost;
import dev.distillery.diffusion.unet.UNetConfig;

/**
 * How long training takes on this machine, measured on one unit of each kind: before there are weights, and in a fraction
 * of a run's memory.
 *
 * @param teacher seconds of a forward pass of the teacher; 0 without one
 * @param student seconds of a forward pass of the student, without gradients
 * @param learning seconds of the student's way forward and back
 * @param update seconds of clipping and the optimizer
 */
public record StepTime(double teacher, double student, double learning, double update) {
    private static final int ROUNDS = 3;

    /** @param in of what is in memory at once: a micro-batch */
    public static StepTime measure(
            UNetConfig teacher, Student plan, Distillation.Settings settings, StepCost.InputSize in, Device device) {
        double taught = 0;
        if (settings.taught()) {
            try (var kinds = new KindsOfUnits(teacher, in, settings.precision(), false, device)) {
                taught = median(kinds::forward);
            }
        }
        try (var kinds = new KindsOfUnits(plan.config(), in, settings.precision(), true, device)) {
            double student = median(kinds::forward);
            double learning = median(kinds::forwardAndBackward) + (settings.recompute() ? student : 0);
            long sampled = kinds.parameters().values().stream()
                    .mapToLong(NDArray::size)
                    .sum();
            double update = update(kinds, settings, device) * Student.parameterCount(plan.config()) / sampled;
            return new StepTime(taught, student, learning, update);
        }
    }

    /** The first round is to warm up. */
    private static double median(DoubleSupplier round) {
        round.getAsDouble();
        return DoubleStream.generate(round)
                .limit(ROUNDS)
                .sorted()
                .skip(ROUNDS / 2)
                .findFirst()
                .orElseThrow();
    }

    private static double update(KindsOfUnits kinds, Distillation.Settings settings, Device device) {
        try (NDManager manager = Torch.newManager(device);
                Torch.GradMode off = Torch.gradMode(false)) {
            Optimizer optimizer = settings.optimizer().of(kinds.parameters(), manager);
            return median(() -> {
                try (NDManager scope = manager.newSubManager()) {
                    long started = System.nanoTime();
                    List<NDArray> gradients = new ArrayList<>();
                    for (NDArray parameter : kinds.parameters().values()) {
                        NDArray gradient = parameter.getGradient();
                        gradient.attach(scope);
                        gradients.add(gradient);
                    }
                    Ops.clipGradNorm(gradients, settings.clip()).getFloat();
                    optimizer.step(gradients, 0);
                    Ops.zero(gradients);
                    Torch.await(gradients.get(0));
                    return (System.nanoTime() - started) / 1e9;
                }
            });
        }
    }

    /** Seconds of a step of so many micro-batches. */
    public double step(int accumulate) {
        return accumulate * (teacher + learning) + update;
    }
}
