package dev.distillery.diffusion.unet;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.distillery.diffusion.tensor.Ops;
import dev.distillery.diffusion.tensor.Torch;

/**
 * A forward pass of a network that learns, from which gradients go back to its parameters. Either autograd keeps every
 * intermediate tensor until then, or only the units' outputs are kept and each unit is computed again on the way back:
 * one forward pass more, for a fraction of the memory.
 *
 * @see <a href="https://arxiv.org/abs/1604.06174">Training deep nets with sublinear memory cost</a>
 */
public final class Trace implements AutoCloseable {
    private final Units units;
    private final NDManager scope;
    private final boolean recompute;
    private final boolean promptLearns;
    private final NDArray[] outputs;

    /**
     * @param sites names of the outputs that will be asked for
     * @param given attached to {@code scope}, which this closes
     * @param promptLearns whether gradients go back through the prompt's embeddings, too
     */
    Trace(Units units, Set<String> sites, Units.Given given, boolean recompute, boolean promptLearns, NDManager scope) {
        this.units = units;
        this.promptLearns = promptLearns;
        this.scope = scope;
        this.recompute = recompute;
        Set<Integer> kept = recompute
                ? IntStream.range(Units.FIRST, units.size()).boxed().collect(Collectors.toSet())
                : sites.stream().map(units::place).collect(Collectors.toSet());
        outputs = inMode(!recompute, () -> units.run(given, kept, Map.of()));
    }

    /** The output of a block or unit. It stays this trace's. */
    public NDArray at(String site) {
        return outputs[units.place(site)];
    }

    /**
     * Adds to each parameter's gradient what follows from the gradients at the outputs, and to those of the text encoders if
     * they learn. Can be called once.
     *
     * @param gradients by site; each of the shape and type of {@link #at}
     */
    public void backward(Map<String, NDArray> gradients) {
        List<String> sites = List.copyOf(gradients.keySet());
        if (recompute) {
            NDArray[] byPlace = new NDArray[units.size()];
            sites.forEach(site -> byPlace[units.place(site)] = gradients.get(site));
            backwardUnitByUnit(byPlace);
        } else {
            Torch.backward(
                    sites.stream().map(this::at).toList(),
                    sites.stream().map(gradients::get).toList());
        }
    }

    private void backwardUnitByUnit(NDArray[] gradients) {
        boolean[] learning = units.learning(promptLearns);
        for (int place = units.size() - 1; place >= Units.FIRST; place--) {
            if (gradients[place] != null) {
                if (learning[place]) {
                    backward(units.get(place), gradients[place], gradients, learning);
                }
                gradients[place].close();
            }
            outputs[place].close(); // what uses it came later, and is done
        }
        List<Integer> made = IntStream.range(0, Units.FIRST)
                .filter(place -> gradients[place] != null)
                .boxed()
                .toList();
        if (!made.isEmpty()) {
            Torch.backward(
                    made.stream().map(place -> outputs[place]).toList(),
                    made.stream().map(place -> gradients[place]).toList());
        }
    }

    /** Computes a unit again, and adds the gradients of its inputs to those that later units have left there; what learns nothing has none. */
    private void backward(Units.Unit unit, NDArray gradient, NDArray[] gradients, boolean[] learning) {
        try (NDManager own = scope.newSubManager()) {
            var leaves = new ArrayList<NDArray>();
            for (int input : unit.inputs()) {
                leaves.add(learning[input] ? Torch.leaf(outputs[input], own) : outputs[input]);
            }
            NDArray output = inMode(true, () -> unit.of(leaves));
            output.attach(own);
            Torch.backward(List.of(output), List.of(gradient));
            for (int i = 0; i < leaves.size(); i++) {
                int input = unit.inputs().get(i);
                if (!learning[input]) {
                    continue;
                }
                Torch.gradient(leaves.get(i)).ifPresent(part -> {
                    if (gradients[input] == null) {
                        part.attach(scope);
                        gradients[input] = part;
                    } else {
                        Ops.add(gradients[input], part);
                    }
                });
            }
        }
    }

    private static <T> T inMode(boolean gradients, Supplier<T> work) {
        try (Torch.GradMode mode = Torch.gradMode(gradients)) {
            return work.get();
        }
    }

    @Override
    public void close() {
        scope.close();
    }
}
