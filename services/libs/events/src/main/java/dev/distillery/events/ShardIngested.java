package dev.distillery.events;

/** One shard of images and captions is in the store; {@code dataset} and {@code model} are fingerprints. */
public record ShardIngested(String run, String dataset, String model, int shard, int shards, int pairs)
        implements Event {
    public ShardIngested {
        Counts.require("shards", shards, 1, Counts.MOST_SHARDS);
        Counts.require("shard", shard, 0, shards - 1L);
        Counts.require("pairs", pairs, 0, Integer.MAX_VALUE);
    }
}
