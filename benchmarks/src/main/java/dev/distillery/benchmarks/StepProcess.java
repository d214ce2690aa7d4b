package dev.distillery.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.diffusion.clip.ClipTextEncoder;
import dev.distillery.diffusion.clip.PromptEncoder;
import dev.distillery.diffusion.distill.Adafactor;
import dev.distillery.diffusion.distill.AdamW;
import dev.distillery.diffusion.distill.Batch;
import dev.distillery.diffusion.distill.Distillation;
import dev.distillery.diffusion.distill.Layouts;
import dev.distillery.diffusion.distill.Losses;
import dev.distillery.diffusion.distill.MemoryEstimate;
import dev.distillery.diffusion.distill.Objective;
import dev.distillery.diffusion.distill.Optimizer;
import dev.distillery.diffusion.distill.StepTime;
import dev.distillery.diffusion.distill.TextLora;
import dev.distillery.diffusion.lora.Lora;
import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.diffusion.schedule.NoiseSchedule;
import dev.distillery.diffusion.tensor.Precision;
import dev.distillery.diffusion.tensor.SafetensorsSource;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.unet.StepCost.InputSize;
import dev.distillery.diffusion.unet.UNetConfig;
import dev.distillery.diffusion.vae.AutoencoderKL;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Steps in this process, and prints a {@link Measurement}; takes the arguments that {@code peer_step.py} takes. */
@Command(name = "step-process", hidden = true)
final class StepProcess implements Callable<Integer> {
    private static final Device DEVICE = Torch.defaultDevice();
    private static final int ENCODE_ROUNDS = 3;
    private static final List<String> PROMPTS = List.of("flask mascot, smiling flask", "food fruit, food");

    @Parameters(index = "0")
    private Path teacher;

    @Parameters(index = "1")
    private Path batch;

    @Option(names = "--precision")
    private String precision;

    @Option(names = "--recompute")
    private boolean recompute;

    @Option(names = "--encode")
    private boolean encode;

    @Option(names = "--lora")
    private int lora;

    @Option(names = "--text-encoders")
    private boolean textEncoders;

    @Option(names = "--optimizer")
    private String optimizer;

    @Option(names = "--steps")
    private int steps;

    @Option(names = "--warmup")
    private int warmup;

    @Option(names = "--threads")
    private int threads;

    @Override
    public Integer call() throws IOException {
        Torch.setThreads(threads);
        Optional<Lora> adapters = lora > 0
                ? Optional.of(new Lora(lora, lora, List.of("to_q", "to_k", "to_v", "to_out.0")))
                : Optional.empty();
        var settings = new Distillation.Settings(
                Objective.PLAIN,
                optimizer(),
                Optional.empty(),
                1,
                Precision.valueOf(precision.toUpperCase(Locale.ROOT)),
                recompute,
                adapters.isEmpty());
        UNetConfig teacherConfig = UNetConfig.read(teacher.resolve("unet"));
        try (Distillation distillation = Distillation.create(
                        teacher.resolve("unet"),
                        Layouts.named(teacherConfig, lora > 0 ? Layouts.TEACHER : "small"),
                        adapters.<Distillation.Init>map(a -> new Distillation.Init.Adapted(a, 0, text()))
                                .orElse(new Distillation.Init.Teacher()),
                        settings,
                        NoiseSchedule.read(teacher.resolve("scheduler")));
                SafetensorsFile file = SafetensorsFile.open(batch)) {
            Losses first = null;
            List<Double> seconds = new ArrayList<>();
            for (int i = 0; i < warmup + steps; i++) {
                long started = System.nanoTime();
                try (NDManager scope = distillation.newScope()) {
                    Batch inputs = Batch.of(batch, SafetensorsSource.loadAll(file, scope));
                    Losses losses = distillation
                            .step(textEncoders ? prompted(inputs) : inputs, 1e-5)
                            .losses();
                    first = first == null ? losses : first;
                    Torch.await(distillation.learning().values().iterator().next());
                }
                if (i >= warmup) {
                    seconds.add((System.nanoTime() - started) / 1e9);
                }
            }
            // on a GPU, what the allocator has taken it keeps
            long peakBytes = DEVICE.isGpu() ? Torch.usedMemoryBytes(DEVICE) : Processes.peakBytes();
            InputSize in = size(file);
            MemoryEstimate memory = MemoryEstimate.of(
                    teacherConfig, distillation.plan(), settings, adapters, textMemory(), in, DEVICE.isGpu());
            StepTime time = StepTime.measure(teacherConfig, distillation.plan(), settings, in, DEVICE);
            System.out.println(new ObjectMapper()
                    .writeValueAsString(new Measurement(
                            seconds,
                            List.of(first.task(), first.output(), first.feature()),
                            peakBytes,
                            encode ? encodeSeconds(file) : 0,
                            time.step(1),
                            memory.parts(),
                            Torch.describe() + ", Java " + Runtime.version().feature())));
        }
        return 0;
    }

    private Optional<TextLora> text() {
        return textEncoders
                ? Optional.of(new TextLora(teacher, new Lora(lora, lora, Lora.OF_TEXT_ENCODER), PROMPTS, 1))
                : Optional.empty();
    }

    private Optional<MemoryEstimate.Text> textMemory() {
        return text().map(text -> new MemoryEstimate.Text(PromptEncoder.configs(teacher), text.lora(), PROMPTS.size()));
    }

    /** The first half of the samples has one prompt, the other the other. */
    private static Batch prompted(Batch batch) {
        int n = (int) batch.timesteps().getShape().get(0);
        return new Batch(
                batch.latents(),
                batch.noise(),
                batch.inputNoise(),
                batch.timesteps(),
                null,
                null,
                batch.timeIds(),
                null,
                IntStream.range(0, n).map(i -> 2 * i / n).toArray());
    }

    private Optimizer.Settings optimizer() {
        return optimizer.equals("adamw")
                ? AdamW.Settings.withWeightDecay(1e-2)
                : Adafactor.Settings.withWeightDecay(1e-2);
    }

    private double encodeSeconds(SafetensorsFile batch) {
        try (NDManager manager = Torch.newManager()) {
            Map<String, NDArray> arrays = SafetensorsSource.loadAll(batch, manager);
            AutoencoderKL vae = AutoencoderKL.load(teacher.resolve("vae"), manager);
            List<ClipTextEncoder> encoders = Stream.of("text_encoder", "text_encoder_2")
                    .map(name -> ClipTextEncoder.load(teacher.resolve(name), manager))
                    .toList();
            double[] rounds = new double[ENCODE_ROUNDS];
            for (int i = 0; i < rounds.length; i++) {
                long started = System.nanoTime();
                vae.encode(arrays.get("pixels"));
                encoders.forEach(encoder -> encoder.encode(arrays.get("input_ids")));
                rounds[i] = (System.nanoTime() - started) / 1e9;
            }
            return Measurement.median(rounds);
        }
    }

    private static InputSize size(SafetensorsFile batch) {
        long[] latents = batch.tensors().get("latents").shape();
        long tokens = batch.tensors().get("prompt_embeds").shape()[1];
        return new InputSize(latents[0], latents[2], latents[3], tokens);
    }
}
