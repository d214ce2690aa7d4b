package dev.distillery.events;

/** All latents and embeddings are in the store; {@code dataset}, {@code model} and {@code latents} are fingerprints. */
public record DatasetEncoded(String run, String dataset, String model, String latents, int shards, int pairs)
        implements RunEvent {
    public DatasetEncoded {
        Counts.require("shards", shards, 0, Counts.MOST_SHARDS);
        Counts.require("pairs", pairs, 0, Integer.MAX_VALUE);
    }
}
