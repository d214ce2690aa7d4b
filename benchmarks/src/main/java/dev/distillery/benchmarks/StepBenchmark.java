package dev.distillery.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.unet.UNetConfig;
import dev.distillery.diffusion.vae.VaeConfig;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * A training step's time and memory beside the peer's. Every measurement is a process of its own; the sides take turns, so
 * that a noisy machine is noisy for both.
 */
@Command(
        name = "step",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Measures a training step: median seconds and peak resident memory, beside the peer's.")
final class StepBenchmark implements Callable<Integer> {
    @Option(
            names = "--case",
            paramLabel = "NAME",
            split = ",",
            defaultValue = "mini,sdxl-widths",
            description =
                    "mini, sdxl-widths or full-size (25 GB of memory and disk together), default ${DEFAULT-VALUE}.")
    private List<String> cases;

    @Option(names = "--batch", description = "Samples of a batch, instead of the case's.")
    private Optional<Integer> batch;

    @Option(names = "--size", description = "Sides of the latents, instead of the case's.")
    private Optional<Integer> size;

    @Option(names = "--precision", split = ",", defaultValue = "fp32,bf16", description = "Default ${DEFAULT-VALUE}.")
    private List<String> precisions;

    @Option(
            names = "--recompute",
            arity = "1",
            split = ",",
            defaultValue = "false,true",
            description = "Gradient checkpointing, default ${DEFAULT-VALUE}.")
    private List<Boolean> recomputes;

    @Option(names = "--optimizer", defaultValue = "adamw", description = "adamw, or adafactor (ours alone).")
    private String optimizer;

    @Option(
            names = "--encode",
            description =
                    "The peer encodes images and captions in every step, as diffengine does by default; Distillery has"
                            + " done it before, once, which is measured too.")
    private boolean encode;

    @Option(
            names = "--lora",
            paramLabel = "RANK",
            defaultValue = "0",
            description = "Fine-tunes a LoRA of the attention projections, as peft does, in place of distilling.")
    private int lora;

    @Option(
            names = "--text-encoders",
            description =
                    "With --lora and case mini: the text encoders have one, too, and encode two prompts in each step.")
    private boolean textEncoders;

    @Option(names = "--rounds", defaultValue = "3", description = "Processes of each side, default ${DEFAULT-VALUE}.")
    private int rounds;

    @Option(names = "--steps", defaultValue = "10", description = "Of a process, default ${DEFAULT-VALUE}.")
    private int steps;

    @Option(names = "--threads", description = "Of each side, default: all processors.")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = "--python", defaultValue = "python3", description = "With torch and diffusers, for the peer.")
    private String python;

    @Option(names = "--no-peer", description = "Measures Distillery alone.")
    private boolean alone;

    @Option(
            names = "--example",
            defaultValue = "deploy/examples/mini-sdxl",
            description = "The teacher of case mini, default ${DEFAULT-VALUE}.")
    private Path example;

    @Option(names = "--work", description = "Folder of random teachers, to be used again; default: a temporary one.")
    private Path work;

    @Option(names = "--json", defaultValue = "step-benchmark.json", description = "Default ${DEFAULT-VALUE}.")
    private Path json;

    /** A row of the table; {@code peer} is empty where there is none. */
    record Row(String name, Variant variant, List<Measurement> ours, List<Measurement> peer) {}

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (textEncoders && (lora == 0 || !List.of("mini").equals(cases))) {
            throw new IllegalArgumentException(
                    "--text-encoders needs --lora and --case mini, the one with a tokenizer");
        }
        boolean temporary = work == null;
        Path folder = temporary ? Files.createTempDirectory("distillery-benchmark") : Files.createDirectories(work);
        try {
            var sides = new Sides(
                    folder,
                    threads,
                    steps,
                    alone
                            ? Optional.empty()
                            : Processes.python(
                                    python,
                                    lora > 0
                                            ? "torch, diffusers, safetensors, peft"
                                            : "torch, diffusers, safetensors"));
            List<Row> rows = new ArrayList<>();
            System.out.println(Table.HEADER);
            for (String name : cases) {
                Case on = Case.named(name).of(batch, size);
                Path teacher = on.config().isPresent()
                        ? new Inputs(folder).teacher(on.config().get())
                        : example;
                if (encode && on.config().isPresent()) {
                    new Inputs(folder).encoders(teacher);
                }
                Optional<Integer> pixelsPerLatent = encode
                        ? Optional.of(VaeConfig.read(teacher.resolve("vae")).scale())
                        : Optional.empty();
                Path latents = new Inputs(folder).batch(on, UNetConfig.read(teacher.resolve("unet")), pixelsPerLatent);
                for (Variant variant : variants()) {
                    Row row = measure(on, variant, sides, teacher, latents);
                    rows.add(row);
                    System.out.println(Table.line(row));
                    Files.writeString(json, new ObjectMapper().writeValueAsString(report(rows)));
                }
            }
            System.out.println("Written to " + json);
            return 0;
        } finally {
            if (temporary) {
                Sides.delete(folder);
            }
        }
    }

    private List<Variant> variants() {
        List<Variant> variants = new ArrayList<>();
        for (String precision : precisions) {
            for (boolean recompute : recomputes) {
                variants.add(new Variant(precision, recompute, optimizer, encode, lora, textEncoders));
            }
        }
        return variants;
    }

    private Row measure(Case on, Variant variant, Sides sides, Path teacher, Path batch)
            throws IOException, InterruptedException {
        var row = new Row(on.name(), variant, new ArrayList<>(), new ArrayList<>());
        for (int round = 0; round < rounds; round++) {
            row.ours.add(sides.ours(variant, teacher, batch));
            if ((on.peer() || Torch.defaultDevice().isGpu())
                    && sides.hasPeer()
                    && variant.optimizer().equals("adamw")) {
                row.peer.add(sides.peer(variant, teacher, batch));
                Sides.ensureSameArithmetic(row);
            }
        }
        return row;
    }

    private Map<String, Object> report(List<Row> rows) {
        Map<String, Object> report = new LinkedHashMap<>();
        report.put("threads", threads);
        report.put("processor", Sides.processor());
        report.put("java", Runtime.version().toString());
        report.put("rows", rows);
        return report;
    }
}
