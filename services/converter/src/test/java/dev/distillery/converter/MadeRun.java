package dev.distillery.converter;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import javax.imageio.ImageIO;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.PrefixWriter;
import dev.distillery.diffusion.distill.Layouts;
import dev.distillery.diffusion.distill.Student;
import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.diffusion.safetensors.SafetensorsWriter;
import dev.distillery.diffusion.safetensors.TensorInfo;
import dev.distillery.diffusion.unet.UNetConfig;
import dev.distillery.events.TrainRequest;

/** A run as it stands in the store when its training has ended: the example's teacher and its untrained small student. */
public final class MadeRun {

    public static final long STEP = 40;
    private static final Path TEACHER = Path.of("../../deploy/examples/mini-sdxl/unet");
    private static final String WEIGHTS = "unet/diffusion_pytorch_model.safetensors";

    private MadeRun() {}

    /** Writes the run; {@code dir} is scratch space. */
    public static void write(ArtifactStore store, String run, Path dir) {
        try {
            store.put(Keys.request(run), request(run));
            store.put(Keys.metrics(run), metrics());
            stage(store, run, "ingest", 12.5, "{\"pairs\": 1911, \"shards\": 8}");
            stage(store, run, "encode", 41, "{\"captions\": 1911}");
            stage(
                    store,
                    run,
                    "train",
                    250,
                    """
                    {"steps": 40, "dataset": "d1", "model": "m1", "latents": "l1", "latency": {"teacherSeconds": 0.0125,
                     "studentSeconds": 0.0075, "pixels": 64, "precision": "bf16", "machine": "PyTorch 2.7.1, GPU"}}
                    """);
            new PrefixWriter(store, Keys.dataset("d1"))
                    .complete(
                            "dataset",
                            Map.of(
                                    "pairs",
                                    1911,
                                    "skipped",
                                    3,
                                    "shards",
                                    8,
                                    "reasons",
                                    Map.of("no caption", 2, "not an image", 1)));
            PrefixWriter model = new PrefixWriter(store, Keys.model("m1"));
            Path teacher = TEACHER.getParent();
            try (Stream<Path> files = Files.walk(teacher)) {
                for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                    if (!file.startsWith(TEACHER) || file.endsWith("config.json")) { // its weights are not needed
                        model.add(teacher.relativize(file).toString(), file);
                    }
                }
            }
            model.complete("model", Map.of());
            checkpoint(store, run, dir);
            for (String folder : List.of("teacher", "epoch-0001", "epoch-0002")) {
                store.put(Keys.samples(run) + folder + "/00.png", image(folder));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void checkpoint(ArtifactStore store, String run, Path dir) throws IOException {
        UNetConfig teacher = UNetConfig.read(TEACHER);
        Student student = Student.of(teacher, Layouts.named(teacher, "small"));
        Path file = dir.resolve("student.safetensors");
        try (SafetensorsFile from = SafetensorsFile.open(TEACHER.resolve("diffusion_pytorch_model.safetensors"))) {
            SafetensorsWriter.Plan plan = new SafetensorsWriter.Plan();
            student.teacherKeys()
                    .forEach((key, source) ->
                            plan.add(key, DType.F32, from.tensors().get(source).shape()));
            try (SafetensorsWriter writer = new SafetensorsWriter(
                    FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE), plan)) {
                for (Map.Entry<String, String> key : student.teacherKeys().entrySet()) {
                    writer.convert(
                            key.getKey(), from.tensors().get(key.getValue()).dtype(), from.data(key.getValue()));
                }
            }
        }
        PrefixWriter checkpoint = new PrefixWriter(store, Keys.checkpoint(run, STEP));
        checkpoint.add(
                "unet/config.json", student.config().json().toPrettyString().getBytes(StandardCharsets.UTF_8));
        checkpoint.add(WEIGHTS, file);
        checkpoint.add(
                "ema/config.json", student.config().json().toPrettyString().getBytes(StandardCharsets.UTF_8));
        checkpoint.add(WEIGHTS.replace("unet", "ema"), averageOf(file, dir));
        checkpoint.complete("checkpoint", Map.of("step", STEP));
        Files.delete(file);
    }

    /** The student's, but for one tensor, which is half as large. */
    private static Path averageOf(Path student, Path dir) throws IOException {
        Path file = dir.resolve("average.safetensors");
        Files.copy(student, file, StandardCopyOption.REPLACE_EXISTING);
        try (SafetensorsFile from = SafetensorsFile.open(student);
                FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            ByteBuffer values = from.data("conv_in.bias");
            ByteBuffer halves = ByteBuffer.allocate(values.remaining()).order(values.order());
            while (values.hasRemaining()) {
                halves.putFloat(values.getFloat() / 2);
            }
            long data = channel.size()
                    - from.tensors().values().stream()
                            .mapToLong(TensorInfo::bytes)
                            .sum();
            channel.write(
                    halves.flip(), data + from.tensors().get("conv_in.bias").offset());
        }
        return file;
    }

    private static void stage(ArtifactStore store, String run, String stage, double seconds, String detail) {
        store.put(
                Keys.stage(run, stage),
                """
                {"stage": "%s", "started": "2026-01-01T00:0%d:00Z", "seconds": %s, "detail": %s}
                """
                        .formatted(stage, List.of("ingest", "encode", "train").indexOf(stage), seconds, detail)
                        .getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] metrics() {
        StringBuilder lines = new StringBuilder();
        for (int step = 0; step <= STEP; step++) {
            double loss = Math.exp(-step / 15.0) + 0.05;
            if (step > 0) {
                lines.append(
                        "{\"step\":%d,\"epoch\":%d,\"loss_task\":%s,\"loss_output\":%s,\"loss_feature\":%s,\"resident_bytes\":9e8}\n"
                                .formatted(step, (step + 19) / 20, 0.3 * loss + 0.06, 0.25 * loss, 18 * loss));
            }
            if (step % 20 == 0) {
                lines.append("{\"step\":%d,\"eval_output\":%s}\n".formatted(step, 0.25 * loss));
            }
        }
        return lines.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] image(String text) throws IOException {
        BufferedImage image = new BufferedImage(64, 64, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        graphics.setColor(new Color(0x40 + text.hashCode() & 0xFFFFFF));
        graphics.fillOval(8, 8, 48, 48);
        graphics.dispose();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageIO.write(image, "png", out);
        return out.toByteArray();
    }

    private static byte[] request(String run) {
        return TrainRequest.parse(
                        """
                {"run": "%s", "teacher": {"model": "file:///mini-sdxl"}, "dataset": {"source": "file:///emoji"},
                 "student": {"layout": "small"}, "encode": {"resolution": 64},
                 "samples": {"prompts": ["a red heart <3"], "seed": 0, "steps": 20, "guidance": 3.0, "size": 64},
                 "convert": {"save": ["unet"], "dtype": "fp16"}}
                """
                                .formatted(run))
                .canonicalJson();
    }
}
