package dev.distillery.events;

/** One shard of images and captions is in the store; {@code dataset} and {@code model} are fingerprints. */
public record ShardIngested(String run, String dataset, String model, int shard, int shards, int pairs)
        implements Event {}
