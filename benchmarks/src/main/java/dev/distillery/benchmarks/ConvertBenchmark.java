package dev.distillery.benchmarks;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;

import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.distill.Families;
import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.safetensors.SafetensorsFolder;
import dev.distillery.diffusion.safetensors.SafetensorsWriter;
import dev.distillery.diffusion.safetensors.SavedWeights;
import dev.distillery.diffusion.safetensors.SavedWeights.Format;
import dev.distillery.diffusion.safetensors.TensorInfo;
import dev.distillery.diffusion.unet.UNet2DCondition;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The time that converting a U-Net's weights takes, beside that of copying the same file; the sides take turns. */
@Command(
        name = "convert",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Converts a U-Net of random weights from fp32 to fp16, beside cp of the same file.")
final class ConvertBenchmark implements Callable<Integer> {
    @Option(names = "--family", defaultValue = "sdxl", description = "Whose U-Net: sdxl (27 GB of disk), sd1 or sd2.")
    private String family;

    @Option(names = "--rounds", defaultValue = "3", description = "Of each side, default ${DEFAULT-VALUE}.")
    private int rounds;

    @Option(names = "--work", description = "Where the files go; default: a temporary folder.")
    private Path work;

    @Override
    public Integer call() throws IOException, InterruptedException {
        boolean temporary = work == null;
        Path folder = temporary ? Files.createTempDirectory("distillery-benchmark") : Files.createDirectories(work);
        try {
            Path weights =
                    Files.createDirectories(folder.resolve(family)).resolve("diffusion_pytorch_model.safetensors");
            make(weights);
            double[] converted = new double[rounds];
            double[] copied = new double[rounds];
            for (int round = 0; round < rounds; round++) {
                copied[round] = copy(weights, folder.resolve("copy"));
                converted[round] = convert(weights, folder.resolve("converted"));
            }
            double ours = Measurement.median(converted);
            double cp = Measurement.median(copied);
            System.out.printf(
                    Locale.ROOT,
                    "| %s, %.2f GB | %.1f s | cp %.1f s | %.2f | heap of %d MiB |%n",
                    family,
                    Files.size(weights) / 1e9,
                    ours,
                    cp,
                    ours / cp,
                    Runtime.getRuntime().maxMemory() >> 20);
            return 0;
        } finally {
            if (temporary) {
                Sides.delete(folder);
            }
        }
    }

    /** One block of random numbers again and again: what they are does not matter, but that they are usual ones. */
    private void make(Path file) throws IOException {
        Map<String, Shape> shapes = UNet2DCondition.parameterShapes(Families.unet(family));
        var plan = new SafetensorsWriter.Plan();
        shapes.forEach((key, shape) -> plan.add(key, DType.F32, shape.getShape()));
        long most = shapes.values().stream().mapToLong(Shape::size).max().orElseThrow();
        ByteBuffer block = ByteBuffer.allocateDirect(Math.toIntExact(4 * most)).order(ByteOrder.LITTLE_ENDIAN);
        var random = new Random(0);
        while (block.hasRemaining()) {
            block.putFloat((float) random.nextGaussian() * 0.02f);
        }
        try (var writer = new SafetensorsWriter(open(file), plan)) {
            for (TensorInfo tensor : plan.tensors()) {
                writer.write(tensor.name(), block.slice(0, Math.toIntExact(tensor.bytes())));
            }
        }
    }

    private static double convert(Path from, Path to) throws IOException {
        long started = System.nanoTime();
        try (SafetensorsFolder weights = SafetensorsFolder.open(from.getParent())) {
            var saved = new SavedWeights(
                    weights,
                    weights.tensors().keySet(),
                    "model",
                    new Format(DType.F16, Optional.empty(), Long.MAX_VALUE));
            saved.write("model.safetensors", open(to));
        }
        return (System.nanoTime() - started) / 1e9;
    }

    private static double copy(Path from, Path to) throws IOException, InterruptedException {
        long started = System.nanoTime();
        int code = new ProcessBuilder("cp", from.toString(), to.toString())
                .inheritIO()
                .start()
                .waitFor();
        if (code != 0) {
            throw new IOException("cp ended with " + code);
        }
        return (System.nanoTime() - started) / 1e9;
    }

    private static FileChannel open(Path file) throws IOException {
        return FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE);
    }
}
