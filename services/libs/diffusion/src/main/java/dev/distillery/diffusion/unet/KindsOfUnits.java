package dev.distillery.diffusion.unet;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.tensor.Precision;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.tensor.Weights;
import dev.distillery.diffusion.unet.StepCost.InputSize;
import dev.distillery.diffusion.unet.Tape.Value;

/**
 * One unit of each kind of a U-Net, with weights of its own: of units that call the same method on arrays of the same
 * shapes, one is enough to tell how long all of them take. So a network can be timed in a fraction of its memory.
 */
public final class KindsOfUnits implements AutoCloseable {
    private record Kind(String method, List<Shape> inputs, List<Shape> weights, List<Number> numbers) {}

    private static final class Sample {
        final Units.Unit unit;
        final List<NDArray> inputs;
        final NDArray gradient; // at its output
        int count;

        Sample(Units.Unit unit, List<NDArray> inputs, NDArray gradient) {
            this.unit = unit;
            this.inputs = inputs;
            this.gradient = gradient;
        }
    }

    private final NDManager manager;
    private final Precision precision;
    private final boolean learns;
    private final Map<Kind, Sample> samples = new LinkedHashMap<>();
    private final Map<String, NDArray> parameters = new LinkedHashMap<>();

    /**
     * @param precision of the arithmetic; weights that do not learn are in it, too
     * @param learns whether gradients are asked for
     */
    public KindsOfUnits(UNetConfig config, InputSize in, Precision precision, boolean learns, Device device) {
        this.precision = precision;
        this.learns = learns;
        manager = Torch.newManager(device);
        try (NDManager scope = Torch.newManager()) {
            Units units = new UNet2DCondition(config, Weights.shapesOnly(scope)).units();
            List<Value> outputs = UnitTapes.Network.of(units, new Tape(precision, false), config, in)
                    .outputs();
            for (int place = Units.FIRST; place < units.size(); place++) {
                Units.Unit unit = units.get(place);
                List<Shape> inputs = unit.inputs().stream()
                        .map(input -> outputs.get(input).shape())
                        .toList();
                var kind = new Kind(
                        unit.method(),
                        inputs,
                        unit.weights().stream().map(NDArray::getShape).toList(),
                        unit.numbers());
                Shape output = outputs.get(place).shape();
                samples.computeIfAbsent(kind, k -> sample(unit, k, output)).count++;
            }
        }
    }

    private Sample sample(Units.Unit unit, Kind kind, Shape output) {
        var weights = new ArrayList<NDArray>();
        for (Shape shape : kind.weights) {
            NDArray weight = manager.full(shape, 0.01f);
            if (learns) {
                weight.setRequiresGradient(true);
                parameters.put("weight" + parameters.size(), weight);
            } else if (shape.dimension() > 1) {
                weight = precision.of(weight, manager);
            }
            weights.add(weight);
        }
        return new Sample(
                new Units.Unit(unit.method(), unit.inputs(), weights, kind.numbers),
                kind.inputs.stream().map(this::random).toList(),
                random(output));
    }

    private NDArray random(Shape shape) {
        return precision.of(manager.randomNormal(shape), manager);
    }

    /** The weights that learn; their gradients are those of the passes so far. */
    public Map<String, NDArray> parameters() {
        return parameters;
    }

    /** Seconds of the whole network's forward pass without gradients. */
    public double forward() {
        double seconds = 0;
        for (Sample sample : samples.values()) {
            try (NDManager scope = manager.newSubManager();
                    Torch.GradMode off = Torch.gradMode(false)) {
                long started = System.nanoTime();
                NDArray output = sample.unit.of(sample.inputs);
                output.attach(scope);
                Torch.await(output);
                seconds += sample.count * (System.nanoTime() - started) / 1e9;
            }
        }
        return seconds;
    }

    /** Seconds of the whole network's forward pass with gradients and of the way back. */
    public double forwardAndBackward() {
        double seconds = 0;
        for (Sample sample : samples.values()) {
            try (NDManager scope = manager.newSubManager();
                    Torch.GradMode on = Torch.gradMode(true)) {
                var leaves = new ArrayList<NDArray>();
                for (int i = 0; i < sample.inputs.size(); i++) {
                    NDArray input = sample.inputs.get(i);
                    leaves.add(sample.unit.inputs().get(i) < Units.FIRST ? input : Torch.leaf(input, scope));
                }
                long started = System.nanoTime();
                NDArray output = sample.unit.of(leaves);
                output.attach(scope);
                Torch.backward(List.of(output), List.of(sample.gradient));
                Torch.await(output);
                seconds += sample.count * (System.nanoTime() - started) / 1e9;
            }
        }
        return seconds;
    }

    @Override
    public void close() {
        manager.close();
    }
}
