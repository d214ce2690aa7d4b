package dev.distillery.benchmarks;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.distill.RandomTensors;
import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.safetensors.SafetensorsWriter;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.unet.UNet2DCondition;
import dev.distillery.diffusion.unet.UNetConfig;

/** Makes the files that both sides read: a teacher of random weights, and a batch. What is there is used again. */
final class Inputs {
    private static final long SEED = 0;
    private static final String SCHEDULER =
            """
            {"_class_name": "DDPMScheduler", "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
             "num_train_timesteps": 1000, "prediction_type": "epsilon"}
            """;

    private final Path work;

    Inputs(Path work) {
        this.work = work;
    }

    /** A diffusers folder; its weights are bfloat16, a tensor of which is in memory at a time. */
    Path teacher(String config) throws IOException {
        Path folder = work.resolve(config.replace(".json", ""));
        Path weights = folder.resolve("unet/diffusion_pytorch_model.safetensors");
        if (Files.exists(weights)) {
            return folder;
        }
        Files.createDirectories(folder.resolve("unet"));
        Files.createDirectories(folder.resolve("scheduler"));
        try (InputStream json = Inputs.class.getResourceAsStream(config)) {
            Files.write(folder.resolve("unet/config.json"), json.readAllBytes());
        }
        Files.writeString(folder.resolve("scheduler/scheduler_config.json"), SCHEDULER);
        Map<String, Shape> shapes = UNet2DCondition.parameterShapes(UNetConfig.read(folder.resolve("unet")));
        var plan = new SafetensorsWriter.Plan();
        shapes.forEach((key, shape) -> plan.add(key, DType.BF16, shape.getShape()));
        Path unfinished = weights.resolveSibling("unfinished");
        try (NDManager manager = Torch.newManager();
                var writer = new SafetensorsWriter(open(unfinished), plan)) {
            var random = new RandomTensors(shapes, SEED, manager);
            for (String key : shapes.keySet()) {
                try (NDArray tensor = random.load(key)) {
                    writer.convert(key, DType.F32, tensor.toByteBuffer().order(ByteOrder.LITTLE_ENDIAN));
                }
            }
        }
        return Files.move(unfinished, weights).getParent().getParent();
    }

    /** Latents, noise, timesteps and embeddings of standard normal numbers. */
    Path batch(Case on, UNetConfig config) throws IOException {
        Path file = work.resolve(on.name() + "-batch.safetensors");
        long size = on.size();
        var shapes = new LinkedHashMap<String, long[]>();
        shapes.put("latents", new long[] {on.batch(), config.inChannels(), size, size});
        shapes.put("noise", new long[] {on.batch(), config.inChannels(), size, size});
        shapes.put("prompt_embeds", new long[] {on.batch(), 77, config.crossAttentionDim()});
        config.textTime().ifPresent(text -> {
            shapes.put("text_embeds", new long[] {on.batch(), text.pooledWidth()});
            shapes.put("time_ids", new long[] {on.batch(), 6});
        });
        var plan = new SafetensorsWriter.Plan();
        shapes.forEach((name, shape) -> plan.add(name, DType.F32, shape));
        plan.add("timesteps", DType.I64, on.batch());
        var random = new Random(SEED);
        try (var writer = new SafetensorsWriter(open(file), plan)) {
            for (Map.Entry<String, long[]> entry : shapes.entrySet()) {
                int count = Math.toIntExact(new Shape(entry.getValue()).size());
                ByteBuffer numbers = ByteBuffer.allocate(4 * count).order(ByteOrder.LITTLE_ENDIAN);
                boolean pixels = entry.getKey().equals("time_ids");
                for (int i = 0; i < count; i++) {
                    numbers.putFloat(pixels ? size * 8 : (float) random.nextGaussian());
                }
                writer.write(entry.getKey(), numbers.flip());
            }
            ByteBuffer timesteps = ByteBuffer.allocate(8 * on.batch()).order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < on.batch(); i++) {
                timesteps.putLong(random.nextInt(1000));
            }
            writer.write("timesteps", timesteps.flip());
        }
        return file;
    }

    private static FileChannel open(Path file) throws IOException {
        return FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE);
    }
}
