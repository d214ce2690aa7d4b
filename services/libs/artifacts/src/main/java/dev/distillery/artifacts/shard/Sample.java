package dev.distillery.artifacts.shard;

/**
 * One pair of a shard.
 *
 * @param position in the data set
 * @param image a file's bytes
 */
public record Sample(long position, byte[] image, String caption) {}
