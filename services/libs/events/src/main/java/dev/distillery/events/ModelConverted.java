package dev.distillery.events;

/** Weights that diffusers loads are below {@code prefix}. */
public record ModelConverted(String run, long step, String prefix, String dtype, long parameters, long bytes)
        implements RunEvent {}
