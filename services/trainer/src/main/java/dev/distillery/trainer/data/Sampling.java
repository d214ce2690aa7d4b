package dev.distillery.trainer.data;

/**
 * How the inputs of a step are drawn.
 *
 * @param captionDropout probability that a pair is seen without its caption, which is what guidance needs
 * @param seed of the run
 */
public record Sampling(Timesteps timesteps, Noise noise, double captionDropout, long seed) {}
