package dev.distillery.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Images a second from a data set to tensors, and from shards to latents, beside Python; the sides take turns. */
@Command(
        name = "data",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Images a second of ingest and encoding, beside pyarrow, Pillow, torchvision and diffusers.")
final class DataBenchmark implements Callable<Integer> {
    private static final ObjectMapper JSON = new ObjectMapper();

    @Option(names = "--stage", split = ",", defaultValue = "ingest,encode", description = "Default ${DEFAULT-VALUE}.")
    private List<String> stages;

    @Option(names = "--resolution", description = "Default: 1024 of ingest, 64 of encode.")
    private Optional<Integer> resolution;

    @Option(names = "--repeat", defaultValue = "1", description = "How often the data set is read, by ingest.")
    private int repeat;

    @Option(names = "--limit", defaultValue = "512", description = "Images that are encoded, default ${DEFAULT-VALUE}.")
    private int limit;

    @Option(names = "--rounds", defaultValue = "3", description = "Processes of each side, default ${DEFAULT-VALUE}.")
    private int rounds;

    @Option(names = "--threads", description = "Of each side, default: all processors.")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = "--python", defaultValue = "python3", description = "For the peer.")
    private String python;

    @Option(names = "--no-peer", description = "Measures Distillery alone.")
    private boolean alone;

    @Option(names = "--data", defaultValue = "deploy/examples/noto-emoji", description = "Default ${DEFAULT-VALUE}.")
    private Path data;

    @Option(names = "--teacher", defaultValue = "deploy/examples/mini-sdxl", description = "Default ${DEFAULT-VALUE}.")
    private Path teacher;

    /** What a process prints; {@code peak} in MB. */
    private record Measured(double rate, double peak) {
        static Measured of(String json) throws IOException {
            JsonNode line = JSON.readTree(json);
            if (line.path("images").asInt() == 0) {
                throw new IllegalStateException("a side read no image: " + json);
            }
            return new Measured(
                    line.path("images_per_second").asDouble(),
                    line.path("peak_rss_mb").asDouble());
        }
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("distillery-benchmark");
        try {
            Optional<String> peer = alone
                    ? Optional.empty()
                    : Processes.python(python, "pyarrow, PIL, torch, torchvision, diffusers, transformers");
            Path script = Processes.script(folder, "peer_data.py");
            System.out.println("| stage | px | images/s | peer | ratio | peak MB | peer |");
            System.out.println("|---|---|---|---|---|---|---|");
            for (String stage : stages) {
                List<String> arguments = arguments(stage);
                List<Measured> ours = new ArrayList<>();
                List<Measured> theirs = new ArrayList<>();
                for (int round = 0; round < rounds; round++) {
                    ours.add(measure(Processes.ours("data-process"), arguments));
                    if (peer.isPresent()) {
                        theirs.add(measure(new ArrayList<>(List.of(peer.get(), script.toString())), arguments));
                    }
                }
                System.out.println(line(stage, ours, theirs));
            }
            return 0;
        } finally {
            Sides.delete(folder);
        }
    }

    private List<String> arguments(String stage) {
        List<String> arguments = new ArrayList<>(List.of(stage, data.toString()));
        if (stage.equals("encode")) {
            arguments.addAll(List.of(teacher.toString(), "--limit", String.valueOf(limit)));
        } else if (stage.equals("ingest")) {
            arguments.addAll(List.of("--repeat", String.valueOf(repeat)));
        } else {
            throw new IllegalArgumentException("--stage must be of ingest, encode but was " + stage);
        }
        arguments.addAll(List.of("--resolution", String.valueOf(side(stage))));
        return arguments;
    }

    private int side(String stage) {
        return resolution.orElse(stage.equals("encode") ? 64 : 1024);
    }

    private Measured measure(List<String> command, List<String> arguments) throws IOException, InterruptedException {
        command.addAll(arguments);
        return Measured.of(Processes.run(command, threads));
    }

    private String line(String stage, List<Measured> ours, List<Measured> theirs) {
        double rate = median(ours.stream().map(Measured::rate).toList());
        double peak = median(ours.stream().map(Measured::peak).toList());
        String row = String.format(Locale.ROOT, "| %s | %d | %.1f |", stage, side(stage), rate);
        if (theirs.isEmpty()) {
            return row + String.format(Locale.ROOT, " | | %.0f | |", peak);
        }
        double peerRate = median(theirs.stream().map(Measured::rate).toList());
        double peerPeak = median(theirs.stream().map(Measured::peak).toList());
        return row
                + String.format(Locale.ROOT, " %.1f | %.2f | %.0f | %.0f |", peerRate, rate / peerRate, peak, peerPeak);
    }

    private static double median(List<Double> values) {
        return Measurement.median(
                values.stream().mapToDouble(Double::doubleValue).toArray());
    }
}
