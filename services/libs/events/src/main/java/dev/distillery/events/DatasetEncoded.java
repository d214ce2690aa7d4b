package dev.distillery.events;

/** All latents and embeddings are in the store; {@code dataset}, {@code model} and {@code latents} are fingerprints. */
public record DatasetEncoded(String run, String dataset, String model, String latents, int shards, int pairs)
        implements RunEvent {}
