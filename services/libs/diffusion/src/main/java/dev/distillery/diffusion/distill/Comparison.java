package dev.distillery.diffusion.distill;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BinaryOperator;
import java.util.function.Function;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.distillery.diffusion.tensor.Precision;
import dev.distillery.diffusion.tensor.Torch;

/**
 * How far a student's outputs are from what they should be, and which gradients at them follow from that. Each output is
 * compared on its own, so what it is compared with can go at once.
 */
final class Comparison {
    private final Function<String, NDArray> student;
    private final NDManager scope;
    private final Map<String, NDArray> leaves = new LinkedHashMap<>();

    /**
     * @param student its outputs by site
     * @param scope owner of losses and gradients
     */
    Comparison(Function<String, NDArray> student, NDManager scope) {
        this.student = student;
        this.scope = scope;
    }

    /**
     * The difference of the student's output and {@code target}.
     *
     * @param difference a scalar of two arrays
     * @param factor by which its gradient counts; 0 for none
     */
    NDArray with(String site, NDArray target, BinaryOperator<NDArray> difference, double factor) {
        NDArray leaf = leaves.computeIfAbsent(site, s -> Torch.leaf(student.apply(s), scope));
        try (Torch.GradMode mode = Torch.gradMode(factor != 0)) {
            NDArray loss = difference.apply(leaf, target);
            if (factor != 0) {
                Torch.backward(loss, factor);
            }
            return loss;
        }
    }

    /** The student's output, in float32. */
    NDArray at(String site) {
        return Precision.FP32.of(student.apply(site), scope);
    }

    /** By site, where there is one. */
    Map<String, NDArray> gradients() {
        var gradients = new LinkedHashMap<String, NDArray>();
        leaves.forEach((site, leaf) -> Torch.gradient(leaf).ifPresent(g -> gradients.put(site, g)));
        return gradients;
    }
}
