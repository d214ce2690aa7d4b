package dev.distillery.evaluator;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.evaluator.score.Findings;
import dev.distillery.evaluator.score.Part;

/** The parts of one evaluation in the store; several instances fill them. A part is there when its file is. */
final class EvaluationParts {
    private final ArtifactStore store;
    private final String prefix;

    EvaluationParts(ArtifactStore store, String run, String name) {
        this.store = store;
        this.prefix = Keys.evaluationParts(run, name);
    }

    boolean has(int part) {
        return store.stat(key(part)).isPresent();
    }

    int count() {
        return keys().size();
    }

    boolean areAll(int parts) {
        Set<String> keys = keys();
        return IntStream.range(0, parts).mapToObj(this::key).allMatch(keys::contains);
    }

    private Set<String> keys() {
        return store.list(prefix + "parts/").stream()
                .map(object -> object.key())
                .collect(Collectors.toSet());
    }

    void add(int part, Part found) throws IOException {
        Path file = Files.createTempFile("part", ".safetensors");
        try {
            found.write(FileChannel.open(file, StandardOpenOption.WRITE));
            store.put(key(part), file);
        } finally {
            Files.delete(file);
        }
    }

    /** Adds up all parts, in the order of their images. */
    Findings sum(int parts) throws IOException {
        var findings = new Findings();
        Path file = Files.createTempFile("part", ".safetensors");
        try {
            for (int part = 0; part < parts; part++) {
                store.fetch(key(part), file);
                try (SafetensorsFile found = SafetensorsFile.open(file)) {
                    findings.add(Part.read(found));
                }
            }
        } finally {
            Files.delete(file);
        }
        return findings;
    }

    private String key(int part) {
        return prefix + "parts/%05d.safetensors".formatted(part);
    }
}
