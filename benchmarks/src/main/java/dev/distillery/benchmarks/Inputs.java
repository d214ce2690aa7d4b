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
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.BiConsumer;
import java.util.function.IntToLongFunction;
import java.util.stream.IntStream;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.clip.ClipConfig;
import dev.distillery.diffusion.clip.ClipTextEncoder;
import dev.distillery.diffusion.distill.RandomTensors;
import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.safetensors.SafetensorsWriter;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.tensor.Weights;
import dev.distillery.diffusion.unet.UNet2DCondition;
import dev.distillery.diffusion.unet.UNetConfig;
import dev.distillery.diffusion.vae.AutoencoderKL;
import dev.distillery.diffusion.vae.VaeConfig;

/** Makes the files that both sides read: a teacher of random weights, and a batch. What is there is used again. */
final class Inputs {
    private static final long SEED = 0;
    private static final int TOKENS = 77;
    private static final int END = 49407; // the id of CLIP's end token
    private static final String SCHEDULER =
            """
            {"_class_name": "DDPMScheduler", "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
             "num_train_timesteps": 1000, "prediction_type": "epsilon"}
            """;

    private final Path work;

    Inputs(Path work) {
        this.work = work;
    }

    /** A diffusers folder with a U-Net of random weights. */
    Path teacher(String config) throws IOException {
        Path folder = work.resolve(config.replace(".json", ""));
        component(
                folder.resolve("unet"),
                config,
                "diffusion_pytorch_model",
                (unet, w) -> new UNet2DCondition(UNetConfig.read(unet), w));
        Files.createDirectories(folder.resolve("scheduler"));
        Files.writeString(folder.resolve("scheduler/scheduler_config.json"), SCHEDULER);
        return folder;
    }

    /** Adds SDXL's auto-encoder and text encoders, with random weights. */
    void encoders(Path folder) throws IOException {
        component(
                folder.resolve("vae"),
                "sdxl/vae.json",
                "diffusion_pytorch_model",
                (vae, w) -> new AutoencoderKL(VaeConfig.read(vae), w));
        for (String name : List.of("text_encoder", "text_encoder_2")) {
            component(
                    folder.resolve(name),
                    "sdxl/" + name + ".json",
                    "model",
                    (encoder, w) -> new ClipTextEncoder(ClipConfig.read(encoder), w));
        }
    }

    /** Its weights are bfloat16, a tensor of which is in memory at a time. */
    private static void component(Path folder, String config, String name, BiConsumer<Path, Weights> model)
            throws IOException {
        Path file = folder.resolve(name + ".safetensors");
        if (Files.exists(file)) {
            return;
        }
        Files.createDirectories(folder);
        try (InputStream json = Inputs.class.getResourceAsStream(config)) {
            Files.write(folder.resolve("config.json"), json.readAllBytes());
        }
        Path unfinished = folder.resolve("unfinished");
        try (NDManager manager = Torch.newManager()) {
            Weights weights = Weights.shapesOnly(manager);
            model.accept(folder, weights);
            var plan = new SafetensorsWriter.Plan();
            weights.shapes().forEach((key, shape) -> plan.add(key, DType.BF16, shape.getShape()));
            var random = new RandomTensors(weights.shapes(), SEED, manager);
            try (var writer = new SafetensorsWriter(open(unfinished), plan)) {
                for (String key : weights.shapes().keySet()) {
                    try (NDArray tensor = random.load(key)) {
                        writer.convert(key, DType.F32, tensor.toByteBuffer().order(ByteOrder.LITTLE_ENDIAN));
                    }
                }
            }
        }
        Files.move(unfinished, file);
    }

    /**
     * Latents, noise, timesteps and embeddings of standard normal numbers.
     *
     * @param pixelsPerLatent if images and token ids are asked for as well
     */
    Path batch(Case on, UNetConfig config, Optional<Integer> pixelsPerLatent) throws IOException {
        Path file = work.resolve(on.name() + "-batch.safetensors");
        long size = on.size();
        var shapes = new LinkedHashMap<String, long[]>();
        shapes.put("latents", new long[] {on.batch(), config.inChannels(), size, size});
        shapes.put("noise", new long[] {on.batch(), config.inChannels(), size, size});
        shapes.put("prompt_embeds", new long[] {on.batch(), TOKENS, config.crossAttentionDim()});
        config.textTime().ifPresent(text -> {
            shapes.put("text_embeds", new long[] {on.batch(), text.pooledWidth()});
            shapes.put("time_ids", new long[] {on.batch(), 6});
        });
        pixelsPerLatent.ifPresent(
                scale -> shapes.put("pixels", new long[] {on.batch(), 3, size * scale, size * scale}));
        var plan = new SafetensorsWriter.Plan();
        shapes.forEach((name, shape) -> plan.add(name, DType.F32, shape));
        plan.add("timesteps", DType.I64, on.batch());
        plan.add("input_ids", DType.I64, on.batch(), TOKENS);
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
            writer.write("timesteps", numbers(on.batch(), i -> random.nextInt(1000)));
            writer.write("input_ids", numbers(on.batch() * TOKENS, i -> (i + 1) % TOKENS == 0 ? END : i % END));
        }
        return file;
    }

    private static ByteBuffer numbers(int count, IntToLongFunction number) {
        ByteBuffer numbers = ByteBuffer.allocate(8 * count).order(ByteOrder.LITTLE_ENDIAN);
        IntStream.range(0, count).forEach(i -> numbers.putLong(number.applyAsLong(i)));
        return numbers.flip();
    }

    private static FileChannel open(Path file) throws IOException {
        return FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE);
    }
}
