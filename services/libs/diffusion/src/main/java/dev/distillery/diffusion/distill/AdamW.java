package dev.distillery.diffusion.distill;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.tensor.Ops;

/**
 * Adam with decoupled weight decay (arXiv 1711.05101), PyTorch's fused kernel: one pass over each parameter.
 *
 * @see <a href="https://github.com/pytorch/pytorch/blob/v2.7.1/torch/optim/adamw.py">torch.optim.AdamW</a>
 */
public final class AdamW implements Optimizer {
    /**
     * @param weightDecay per step, multiplied by the learning rate
     */
    public record Settings(double beta1, double beta2, double eps, double weightDecay) implements Optimizer.Settings {
        /** PyTorch's defaults. */
        public static Settings withWeightDecay(double weightDecay) {
            return new Settings(0.9, 0.999, 1e-8, weightDecay);
        }

        @Override
        public AdamW of(Map<String, NDArray> parameters, NDManager manager) {
            return new AdamW(this, parameters, manager);
        }

        @Override
        public long stateBytes(Map<String, Shape> parameters) {
            return 2
                    * Float.BYTES
                    * parameters.values().stream().mapToLong(Shape::size).sum();
        }
    }

    private static final String FIRST_MOMENT = "exp_avg.";
    private static final String SECOND_MOMENT = "exp_avg_sq.";

    private final Settings settings;
    private final List<NDArray> parameters;
    private final List<NDArray> firstMoments = new ArrayList<>();
    private final List<NDArray> secondMoments = new ArrayList<>();
    private final List<NDArray> stepCounts = new ArrayList<>(); // one per parameter, as the fused kernel wants it
    private final Map<String, NDArray> state = new LinkedHashMap<>();
    private long steps;

    /** @param manager owner of the moments, which take twice the parameters' memory */
    private AdamW(Settings settings, Map<String, NDArray> parameters, NDManager manager) {
        this.settings = settings;
        this.parameters = List.copyOf(parameters.values());
        parameters.forEach((key, p) -> {
            firstMoments.add(manager.zeros(p.getShape()));
            secondMoments.add(manager.zeros(p.getShape()));
            stepCounts.add(manager.zeros(new Shape(1)));
            state.put(FIRST_MOMENT + key, firstMoments.get(firstMoments.size() - 1));
            state.put(SECOND_MOMENT + key, secondMoments.get(secondMoments.size() - 1));
        });
    }

    @Override
    public void step(List<NDArray> gradients, double learningRate) {
        NDManager scope = gradients.get(0).getManager();
        double[] hyper = {learningRate, settings.beta1, settings.beta2, settings.eps, settings.weightDecay};
        try (NDManager host = scope.newSubManager(Device.cpu()); // read without waiting for the device
                NDArray numbers = host.create(hyper);
                NDArray done =
                        Ops.call("adamw", numbers, parameters, gradients, firstMoments, secondMoments, stepCounts)) {
            steps++;
        }
    }

    @Override
    public long steps() {
        return steps;
    }

    /** {@code exp_avg.KEY} and {@code exp_avg_sq.KEY} of every parameter. */
    @Override
    public Map<String, NDArray> state() {
        return state;
    }

    @Override
    public void resume(long steps) {
        this.steps = steps;
        stepCounts.forEach(count -> count.muli(0).addi(steps)); // not set(), see Ops.copy
    }
}
