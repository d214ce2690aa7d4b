package dev.distillery.benchmarks;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What a step is measured on: a teacher and the shape of a batch.
 *
 * @param config name of a U-Net's config among the resources, to be filled with random weights; empty: the example's teacher
 * @param size of the latents' sides
 * @param peer whether the peer runs beside it
 */
record Case(String name, Optional<String> config, int batch, int size, boolean peer) {
    private static final Case[] ALL = {
        new Case("mini", Optional.empty(), 16, 16, true),
        new Case("sdxl-widths", Optional.of("sdxl-widths.json"), 1, 32, true),
        new Case("full-size", Optional.of("full-size.json"), 1, 32, false), // the peer needs more than 40 GB for it
    };

    /** The same with another batch. */
    Case of(Optional<Integer> otherBatch, Optional<Integer> otherSize) {
        return new Case(name, config, otherBatch.orElse(batch), otherSize.orElse(size), peer);
    }

    static Case named(String name) {
        return Arrays.stream(ALL)
                .filter(c -> c.name.equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("--case '" + name + "' is none of "
                        + Arrays.stream(ALL).map(Case::name).collect(Collectors.joining(", "))));
    }
}
