package dev.distillery.diffusion.distill;

import java.util.List;
import java.util.Map;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;

/** Changes parameters in place by their gradients, and remembers what it needs for that in arrays that can be saved. */
public sealed interface Optimizer permits AdamW, Adafactor, ParameterGroups {

    /** How to optimize, before there are parameters. */
    sealed interface Settings permits AdamW.Settings, Adafactor.Settings {
        /** @param manager owner of the optimizer's state */
        Optimizer of(Map<String, NDArray> parameters, NDManager manager);

        /** Of the state that it keeps for parameters of these shapes. */
        long stateBytes(Map<String, Shape> parameters);
    }

    /** Updates the parameters in place; autograd must be off. Gradients are in the order of the parameters. */
    void step(List<NDArray> gradients, double learningRate);

    /** Updates made so far. */
    long steps();

    /** Live arrays by PyTorch's name of the state and the parameter's key, to be read between steps. */
    Map<String, NDArray> state();

    /** Goes on from {@link #state}, which the caller has filled, after so many updates. */
    void resume(long steps);
}
