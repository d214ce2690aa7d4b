package dev.distillery.events;

import java.util.List;

/**
 * Asks for a checkpoint to be converted. {@code step} null: the newest; {@code weights} (raw or ema), {@code dtype} and
 * {@code maxShardSize} null: those of the run; {@code save} null: the U-Net alone; {@code variant} null: none.
 */
public record ConvertRequest(
        String run, Long step, String weights, String dtype, List<String> save, String variant, String maxShardSize)
        implements Event {
    public ConvertRequest {
        if (step != null) {
            Counts.require("step", step, 0, Long.MAX_VALUE);
        }
    }
}
