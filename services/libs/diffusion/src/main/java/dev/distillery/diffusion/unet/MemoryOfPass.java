package dev.distillery.diffusion.unet;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

import dev.distillery.diffusion.unet.Tape.Operator;
import dev.distillery.diffusion.unet.Tape.Storage;

/**
 * Goes along a tape, forwards and back, and keeps account of what is in memory: of every storage, how many hold it, as
 * variables, autograd and {@link Trace} do. Weights and their lasting gradients are not counted.
 */
final class MemoryOfPass {
    private final Units units;
    private final UnitTapes.Network network;
    private final List<Operator> operators;
    private final Map<Storage, Integer> lastReads = new HashMap<>();

    private final Map<Storage, Integer> holders = new HashMap<>();
    private final Map<Storage, Storage> gradients = new HashMap<>(); // several storages may share one
    private long now;
    private long peak;

    MemoryOfPass(Units units, UnitTapes.Network network) {
        this.units = units;
        this.network = network;
        operators = network.tape().operators();
        for (int i = 0; i < operators.size(); i++) {
            for (Storage read : operators.get(i).reads()) {
                lastReads.put(read, i);
            }
            lastReads.put(operators.get(i).makes(), i);
        }
        for (int place = 0; place < units.size(); place++) {
            if (place < Units.FIRST) {
                hold(output(place));
            } else { // a unit's inputs stay until it is done
                lastReads.merge(output(place), network.ends().get(units.lastUse(place)) - 1, Math::max);
            }
        }
    }

    private Storage output(int place) {
        return network.outputs().get(place).storage();
    }

    /** Every unit's output. */
    Set<Storage> outputs() {
        var all = new HashSet<Storage>();
        for (int place = Units.FIRST; place < units.size(); place++) {
            all.add(output(place));
        }
        return all;
    }

    /** The most bytes at once so far. */
    long peak() {
        return peak;
    }

    /** Something else takes so many bytes for a while. */
    void beside(long bytes) {
        peak = Math.max(peak, now + bytes);
    }

    /**
     * The forward pass.
     *
     * @param autograd whether what gradients need is kept
     * @param kept outputs that stay
     */
    void forward(boolean autograd, Set<Storage> kept) {
        forward(0, operators.size(), autograd, kept);
    }

    private void forward(int from, int to, boolean autograd, Set<Storage> kept) {
        var variables = new ArrayList<Storage>();
        for (int i = from; i < to; i++) {
            Operator operator = operators.get(i);
            Storage made = operator.makes();
            hold(made);
            variables.add(made);
            if (kept.contains(made)) {
                hold(made);
            }
            if (autograd) {
                operator.keeps().forEach(this::hold);
            }
            beside(operator.scratch());
            int at = i;
            variables.removeIf(variable -> lastReads.get(variable) <= at && release(variable));
        }
        variables.forEach(this::release);
    }

    /** The gradient of an output that is compared; it stays. */
    void compare(Storage output) {
        var gradient = new Storage(output.bytes(), false);
        gradients.put(output, gradient);
        hold(gradient);
        hold(gradient);
    }

    /** The way back after a pass with autograd. */
    void backward() {
        backward(0, operators.size());
    }

    /** The way back after a pass that kept all outputs: unit by unit, each computed again. */
    void backwardRecomputing() {
        for (int place = units.size() - 1; place >= Units.FIRST; place--) {
            int from = network.ends().get(place - 1);
            int to = network.ends().get(place);
            now += output(place).bytes(); // beside the one that was kept
            forward(from, to, true, Set.of());
            backward(from, to);
            now -= output(place).bytes();
            release(output(place));
        }
    }

    private void backward(int from, int to) {
        for (int i = to - 1; i >= from; i--) {
            Operator operator = operators.get(i);
            Storage gradient = gradients.remove(operator.makes());
            if (gradient != null) {
                List<Storage> sums = new ArrayList<>();
                for (Storage read : operator.reads()) {
                    if (read.learns()) {
                        Storage own = operator.passes() ? gradient : new Storage(read.bytes(), false);
                        hold(own);
                        if (gradients.putIfAbsent(read, own) != null) {
                            sums.add(own); // it is added to the one that is there
                        }
                    }
                }
                beside(operator.scratch() + operator.weightGradients());
                sums.forEach(this::release);
                release(gradient);
            }
            operator.keeps().forEach(this::release);
        }
    }

    private void hold(Storage storage) {
        if (holders.merge(storage, 1, Integer::sum) == 1) {
            now += storage.bytes();
            beside(0);
        }
    }

    private boolean release(Storage storage) {
        if (holders.merge(storage, -1, Integer::sum) == 0) {
            holders.remove(storage);
            now -= storage.bytes();
        }
        return true;
    }
}
