package dev.distillery.diffusion.unet;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

import ai.djl.ndarray.NDArray;
import dev.distillery.diffusion.tensor.Ops;

/**
 * A network as the list of its units in the order of the forward pass; a unit's inputs are outputs of units before it, or
 * what is given from outside. So what is kept, freed, looked at, computed again, timed or counted is decided once, over the
 * list, and no block knows of it.
 */
final class Units {
    /** The places of what is given; as in {@link Given}. */
    static final int LATENTS = 0;

    static final int TIME = 1;
    static final int TEXT = 2;
    static final int PROMPT = 3;

    /** The place of the first unit. */
    static final int FIRST = 4;

    /**
     * What comes from outside.
     *
     * @param latents {@code (B, C, H, W)}
     * @param time sinusoids {@code (B, C0)}
     * @param text pooled prompt embedding and time ids' sinusoids {@code (B, P + 6w)}; null without {@code text_time}
     * @param prompt {@code (B, L, D)}
     */
    record Given(NDArray latents, NDArray time, NDArray text, NDArray prompt) {
        /** By place, in an array for all places. */
        NDArray[] in(int places) {
            return Arrays.copyOf(new NDArray[] {latents, time, text, prompt}, places);
        }
    }

    /**
     * A call of a method of {@code ops.py}, whose arguments are the inputs, the weights and the numbers.
     *
     * @param inputs places
     */
    record Unit(String method, List<Integer> inputs, List<NDArray> weights, List<Number> numbers) {
        /** The result belongs to the manager of the first of {@code values}, the inputs' values. */
        NDArray of(List<NDArray> values) {
            List<Object> arguments = new ArrayList<>(values);
            arguments.add(weights);
            arguments.addAll(numbers);
            return Ops.call(method, arguments.toArray());
        }
    }

    private final List<Unit> units = new ArrayList<>();
    private final List<Integer> lastUses = new ArrayList<>();
    private final Map<String, Integer> places = new LinkedHashMap<>();

    Units() {
        for (int given = 0; given < FIRST; given++) {
            units.add(null);
            lastUses.add(Integer.MAX_VALUE); // never freed here
        }
    }

    /** Returns the place of the unit, by which later ones name it as an input. */
    int add(String name, String method, List<NDArray> weights, List<Number> numbers, Integer... inputs) {
        int place = units.size();
        units.add(new Unit(method, List.of(inputs), List.copyOf(weights), List.copyOf(numbers)));
        lastUses.add(place);
        for (int input : inputs) {
            if (input >= FIRST) {
                lastUses.set(input, place);
            }
        }
        places.put(name, place);
        return place;
    }

    /** Another name for a unit: a block is known by its last one. */
    void alias(String name, int place) {
        places.put(name, place);
    }

    /** @throws IllegalArgumentException naming what there is */
    int place(String name) {
        Integer place = places.get(name);
        if (place == null) {
            throw new IllegalArgumentException("no '" + name + "' in this U-Net; it has " + places.keySet());
        }
        return place;
    }

    /** Every name, in the order of the forward pass. */
    Set<String> names() {
        return Collections.unmodifiableSet(places.keySet());
    }

    /** One more than the last place. */
    int size() {
        return units.size();
    }

    Unit get(int place) {
        return units.get(place);
    }

    /**
     * By place, whether gradients go back to there: to outputs that depend on weights that learn, and to the prompt.
     *
     * @param promptLearns whether what made the prompt's embeddings learns
     */
    boolean[] learning(boolean promptLearns) {
        boolean[] learning = new boolean[units.size()];
        learning[TEXT] = promptLearns;
        learning[PROMPT] = promptLearns;
        for (int place = FIRST; place < learning.length; place++) {
            Unit unit = units.get(place);
            learning[place] = unit.inputs.stream().anyMatch(input -> learning[input])
                    || unit.weights.stream().anyMatch(NDArray::hasGradient);
        }
        return learning;
    }

    /** The last place at which an output is an input; its own where it is none. */
    int lastUse(int place) {
        return lastUses.get(place);
    }

    /**
     * Computes every unit. An output is freed after its last use, unless it is kept.
     *
     * @param listeners shown an output as soon as it is there
     * @return what is given and the outputs by place; null where freed
     */
    NDArray[] run(Given given, Set<Integer> kept, Map<Integer, Consumer<NDArray>> listeners) {
        NDArray[] outputs = given.in(units.size());
        for (int place = FIRST; place < outputs.length; place++) {
            Unit unit = units.get(place);
            outputs[place] =
                    unit.of(unit.inputs.stream().map(input -> outputs[input]).toList());
            if (listeners.containsKey(place)) {
                listeners.get(place).accept(outputs[place]);
            }
            for (int input : unit.inputs) {
                freeAfter(place, input, outputs, kept);
            }
            freeAfter(place, place, outputs, kept);
        }
        return outputs;
    }

    private void freeAfter(int place, int used, NDArray[] outputs, Set<Integer> kept) {
        if (lastUses.get(used) == place && !kept.contains(used) && outputs[used] != null) {
            outputs[used].close();
            outputs[used] = null;
        }
    }
}
