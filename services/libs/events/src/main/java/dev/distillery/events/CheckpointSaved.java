package dev.distillery.events;

/** A checkpoint is complete in the store. */
public record CheckpointSaved(String run, long step, int epoch, boolean last) implements RunEvent {
    public CheckpointSaved {
        Counts.require("step", step, 0, Long.MAX_VALUE);
    }
}
