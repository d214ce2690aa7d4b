package dev.distillery.diffusion.distill;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

/** Parameters of several learning rates: an optimizer of the same settings for each group. */
final class ParameterGroups implements Optimizer {
    /** @param learningRate in parts of the one that a step is given */
    record Group(Map<String, NDArray> parameters, double learningRate) {}

    private record Part(Optimizer optimizer, int parameters, double learningRate) {}

    private final List<Part> parts;

    /** @param groups whose parameters, one group after the other, are all that learn */
    ParameterGroups(Optimizer.Settings settings, List<Group> groups, NDManager manager) {
        parts = groups.stream()
                .map(group ->
                        new Part(settings.of(group.parameters, manager), group.parameters.size(), group.learningRate))
                .toList();
    }

    @Override
    public void step(List<NDArray> gradients, double learningRate) {
        int from = 0;
        for (Part part : parts) {
            part.optimizer.step(gradients.subList(from, from + part.parameters), learningRate * part.learningRate);
            from += part.parameters;
        }
    }

    @Override
    public long steps() {
        return parts.get(0).optimizer.steps();
    }

    @Override
    public Map<String, NDArray> state() {
        var state = new LinkedHashMap<String, NDArray>();
        parts.forEach(part -> state.putAll(part.optimizer.state()));
        return state;
    }

    @Override
    public void resume(long steps) {
        parts.forEach(part -> part.optimizer.resume(steps));
    }
}
