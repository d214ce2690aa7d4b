package dev.distillery.events;

/** Images and captions are in the store. */
public record DatasetIngested(String run, String dataset, int pairs, int skipped, int shards, double seconds)
        implements RunEvent {}
