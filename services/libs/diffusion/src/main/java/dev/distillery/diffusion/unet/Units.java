package dev.distillery.diffusion.unet;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

import ai.djl.ndarray.NDArray;

/**
 * A network as the list of its units in the order of the forward pass; a unit's inputs are outputs of units before it. So
 * what is kept, freed, looked at or computed again is decided once, over the list, and no block knows of it.
 */
final class Units {
    /**
     * What comes from outside and needs no gradient.
     *
     * @param time sinusoids {@code (B, C0)}
     * @param text pooled prompt embedding and time ids' sinusoids {@code (B, P + 6w)}; null without {@code text_time}
     */
    record Given(NDArray latents, NDArray time, NDArray text, NDArray prompt) {}

    /** The result belongs to the manager of the first argument. */
    interface Operation {
        NDArray of(List<NDArray> inputs, Given given);
    }

    record Unit(Operation operation, List<Integer> inputs) {}

    private final List<Unit> units = new ArrayList<>();
    private final List<Integer> lastUses = new ArrayList<>();
    private final Map<String, Integer> places = new LinkedHashMap<>();

    /** Returns the place of the unit, by which later ones name it as an input. */
    int add(String name, Operation operation, Integer... inputs) {
        int place = units.size();
        units.add(new Unit(operation, List.of(inputs)));
        lastUses.add(place);
        for (int input : inputs) {
            lastUses.set(input, place);
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

    int size() {
        return units.size();
    }

    Unit get(int place) {
        return units.get(place);
    }

    /**
     * Computes every unit. An output is freed after its last use, unless it is kept.
     *
     * @param listeners shown an output as soon as it is there
     * @return the outputs by place; null where freed
     */
    NDArray[] run(Given given, Set<Integer> kept, Map<Integer, Consumer<NDArray>> listeners) {
        NDArray[] outputs = new NDArray[units.size()];
        for (int place = 0; place < outputs.length; place++) {
            Unit unit = units.get(place);
            outputs[place] = unit.operation.of(
                    unit.inputs.stream().map(input -> outputs[input]).toList(), given);
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
