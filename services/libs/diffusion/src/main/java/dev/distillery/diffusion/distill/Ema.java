package dev.distillery.diffusion.distill;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.distillery.diffusion.tensor.Ops;
import dev.distillery.diffusion.tensor.Torch;

/**
 * An exponential moving average of a network's parameters. It begins as the parameters after the first update, and
 * forgets that beginning: the {@code n}-th update keeps {@code min(decay, n / (9 + n))} of what is there.
 *
 * @see <a href="https://github.com/huggingface/diffusers/blob/v0.35.1/src/diffusers/training_utils.py#L419">diffusers'
 *     EMAModel</a>
 */
public final class Ema implements AutoCloseable {
    /**
     * @param decay the most that is kept, usually 0.9999
     * @param every so many optimizer steps; less often costs less, and calls for a smaller decay
     * @param onCpu in the host's memory rather than beside the network
     */
    public record Settings(double decay, int every, boolean onCpu) {
        /** What the {@code count}-th update, from 1, keeps of the average. */
        double kept(long count) {
            return count <= 1 ? 0 : Math.min(decay, (double) count / (count + 9));
        }
    }

    private final Settings settings;
    private final NDManager manager;
    private final List<NDArray> parameters;
    private final Map<String, NDArray> average = new LinkedHashMap<>();

    Ema(Settings settings, Map<String, NDArray> parameters) {
        this.settings = settings;
        this.parameters = List.copyOf(parameters.values());
        manager = settings.onCpu() ? Torch.newCpuManager() : Torch.newManager();
        parameters.forEach((key, parameter) -> average.put(key, manager.zeros(parameter.getShape())));
        Ops.copy(List.copyOf(average.values()), this.parameters);
    }

    /** Takes in the parameters, if it is time to, after {@code steps} optimizer steps. */
    void stepped(long steps) {
        if (steps % settings.every() == 0) {
            double kept = settings.kept(steps / settings.every());
            Ops.call("move_towards", List.copyOf(average.values()), parameters, 1 - kept)
                    .close();
        }
    }

    /** Live arrays by the parameters' keys. */
    public Map<String, NDArray> average() {
        return average;
    }

    /** How far the average is from the parameters, in the length of these: 0 says that it follows at once, or is dead. */
    public double distance() {
        try (Torch.GradMode off = Torch.gradMode(false);
                NDArray distance = Ops.call("relative_distance", List.copyOf(average.values()), parameters)) {
            return distance.getFloat();
        }
    }

    /** Puts the average into the network, which must not learn, until the result is closed. No second copy is made. */
    public Applied apply() {
        exchange();
        return this::exchange;
    }

    /** The scope of {@link #apply}. */
    public interface Applied extends AutoCloseable {
        @Override
        void close();
    }

    private void exchange() {
        try (Torch.GradMode off = Torch.gradMode(false)) {
            Ops.call("exchange", List.copyOf(average.values()), parameters).close();
        }
    }

    @Override
    public void close() {
        manager.close();
    }
}
