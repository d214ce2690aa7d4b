package dev.distillery.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.ObjectMapper;

/** The processes that are measured: this program's own, and Python's. */
final class Sides {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int WARM_UP = 2;

    private final int threads;
    private final int steps;
    private final Optional<String> python;
    private final Path script;

    Sides(Path folder, int threads, int steps, Optional<String> python) throws IOException {
        this.threads = threads;
        this.steps = steps;
        this.python = python;
        script = Processes.script(folder, "peer_step.py");
    }

    boolean hasPeer() {
        return python.isPresent();
    }

    Measurement ours(Variant variant, Path teacher, Path batch) throws IOException, InterruptedException {
        return run(Processes.ours("step-process"), variant, teacher, batch);
    }

    Measurement peer(Variant variant, Path teacher, Path batch) throws IOException, InterruptedException {
        return run(new ArrayList<>(List.of(python.orElseThrow(), script.toString())), variant, teacher, batch);
    }

    private Measurement run(List<String> command, Variant variant, Path teacher, Path batch)
            throws IOException, InterruptedException {
        command.addAll(List.of(teacher.toString(), batch.toString(), "--precision", variant.precision()));
        command.addAll(List.of("--optimizer", variant.optimizer(), "--steps", String.valueOf(steps)));
        command.addAll(List.of("--warmup", String.valueOf(WARM_UP), "--threads", String.valueOf(threads)));
        if (variant.recompute()) {
            command.add("--recompute");
        }
        if (variant.encode()) {
            command.add("--encode");
        }
        if (variant.lora() > 0) {
            command.addAll(List.of("--lora", String.valueOf(variant.lora())));
        }
        if (variant.textEncoders()) {
            command.add("--text-encoders");
        }
        return JSON.readValue(Processes.run(command, threads), Measurement.class);
    }

    /** A comparison of different arithmetic would be worth nothing. */
    static void ensureSameArithmetic(StepBenchmark.Row row) {
        double tolerance = row.variant().precision().equals("fp32") ? 1e-3 : 2e-2;
        List<Double> ours = row.ours().get(row.ours().size() - 1).losses();
        List<Double> peer = row.peer().get(row.peer().size() - 1).losses();
        for (int i = 0; i < ours.size(); i++) {
            if (!(Math.abs(ours.get(i) - peer.get(i)) <= tolerance * Math.abs(peer.get(i)))) {
                throw new IllegalStateException("The first step's losses are not the peer's: " + row.name() + " "
                        + row.variant() + " " + ours + " and " + peer);
            }
        }
    }

    /** The model's name as Linux gives it; elsewhere the architecture. */
    static String processor() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return lines.filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse(System.getProperty("os.arch"));
        } catch (IOException e) {
            return System.getProperty("os.arch");
        }
    }

    static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
