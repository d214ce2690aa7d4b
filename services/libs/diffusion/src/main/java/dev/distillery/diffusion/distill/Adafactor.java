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
 * Adafactor (arXiv 1804.04235) with a given learning rate and without momentum: {@code scale_parameter=False,
 * relative_step=False}. Of the second moments over the last two axes it keeps a row and a column: next to nothing for a
 * matrix, two thirds of a 3x3 kernel's size.
 *
 * @see <a href="https://github.com/huggingface/transformers/blob/v4.55.4/src/transformers/optimization.py#L672">
 *     transformers' Adafactor</a>
 */
public final class Adafactor implements Optimizer {
    /**
     * @param eps added to the squared gradients
     * @param clipThreshold largest root mean square of an update, before the learning rate
     * @param decay exponent by which the averages grow longer: {@code beta2 = 1 - step^decay}
     * @param weightDecay per step, multiplied by the learning rate
     */
    public record Settings(double eps, double clipThreshold, double decay, double weightDecay)
            implements Optimizer.Settings {
        /** The defaults of transformers. */
        public static Settings withWeightDecay(double weightDecay) {
            return new Settings(1e-30, 1, -0.8, weightDecay);
        }

        @Override
        public Adafactor of(Map<String, NDArray> parameters, NDManager manager) {
            return new Adafactor(this, parameters, manager);
        }

        @Override
        public long stateBytes(Map<String, Shape> parameters) {
            return Float.BYTES
                    * parameters.values().stream()
                            .mapToLong(shape -> shape.dimension() < 2
                                    ? shape.size()
                                    : row(shape).size() + column(shape).size())
                            .sum();
        }
    }

    private final Settings settings;
    private final List<NDArray> parameters;
    private final List<Integer> matrices = new ArrayList<>(); // places in the parameters of those with two axes or more
    private final List<Integer> vectors = new ArrayList<>(); // and of the others
    private final List<NDArray> rows = new ArrayList<>();
    private final List<NDArray> columns = new ArrayList<>();
    private final List<NDArray> squares = new ArrayList<>();
    private final Map<String, NDArray> state = new LinkedHashMap<>();
    private long steps;

    private Adafactor(Settings settings, Map<String, NDArray> parameters, NDManager manager) {
        this.settings = settings;
        this.parameters = List.copyOf(parameters.values());
        int place = 0;
        for (Map.Entry<String, NDArray> parameter : parameters.entrySet()) {
            Shape shape = parameter.getValue().getShape();
            if (shape.dimension() >= 2) {
                matrices.add(place);
                rows.add(kept("exp_avg_sq_row." + parameter.getKey(), manager.zeros(row(shape))));
                columns.add(kept("exp_avg_sq_col." + parameter.getKey(), manager.zeros(column(shape))));
            } else {
                vectors.add(place);
                squares.add(kept("exp_avg_sq." + parameter.getKey(), manager.zeros(shape)));
            }
            place++;
        }
    }

    private static Shape row(Shape of) {
        return of.slice(0, of.dimension() - 1);
    }

    private static Shape column(Shape of) {
        return of.slice(0, of.dimension() - 2).add(of.get(of.dimension() - 1));
    }

    private NDArray kept(String name, NDArray array) {
        state.put(name, array);
        return array;
    }

    @Override
    public void step(List<NDArray> gradients, double learningRate) {
        steps++;
        double beta2 = 1 - Math.pow(steps, settings.decay);
        double[] hyper = {learningRate, beta2, settings.eps, settings.clipThreshold, settings.weightDecay};
        NDManager scope = gradients.get(0).getManager();
        try (NDManager host = scope.newSubManager(Device.cpu()); // read without waiting for the device
                NDArray numbers = host.create(hyper)) {
            if (!matrices.isEmpty()) {
                Ops.call(
                                "adafactor_matrices",
                                numbers,
                                at(matrices, parameters),
                                at(matrices, gradients),
                                rows,
                                columns)
                        .close();
            }
            if (!vectors.isEmpty()) {
                Ops.call("adafactor_vectors", numbers, at(vectors, parameters), at(vectors, gradients), squares)
                        .close();
            }
        }
    }

    private static List<NDArray> at(List<Integer> places, List<NDArray> arrays) {
        return places.stream().map(arrays::get).toList();
    }

    @Override
    public long steps() {
        return steps;
    }

    /** {@code exp_avg_sq_row.KEY} and {@code exp_avg_sq_col.KEY} of matrices and kernels, {@code exp_avg_sq.KEY} of vectors. */
    @Override
    public Map<String, NDArray> state() {
        return state;
    }

    @Override
    public void resume(long steps) {
        this.steps = steps;
    }
}
