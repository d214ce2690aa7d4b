package dev.distillery.diffusion.distill;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.Golden;
import dev.distillery.diffusion.clip.ClipConfig;
import dev.distillery.diffusion.clip.ClipTextEncoder;
import dev.distillery.diffusion.clip.PromptEncoder;
import dev.distillery.diffusion.lora.Lora;
import dev.distillery.diffusion.lora.SavedLora;
import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.diffusion.schedule.NoiseSchedule;
import dev.distillery.diffusion.tensor.Ops;
import dev.distillery.diffusion.tensor.Precision;
import dev.distillery.diffusion.tensor.SavedTensors;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.unet.UNetConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

/** A LoRA of U-Net and text encoders against peft 0.21.2; golden tensors by {@code src/test/python/golden_lora_text.py}. */
class TextLoraGoldenTest {
    private static final Path GOLDEN = Golden.folder("lora-text");
    private static final List<String> PROMPTS = List.of("", "red apple, food fruit", "yellow heart, heart");
    private static final int[] OF_SAMPLES = {1, 2, 0, 1};

    @TempDir
    Path dir;

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldEqualPeftInPredictionAndEveryGradient(boolean recompute) {
        try (SavedLora saved = SavedLora.open(GOLDEN.resolve(SavedLora.FILE));
                Distillation d = adapted(saved, Precision.FP32, recompute, 1);
                NDManager scope = d.newScope()) {
            // Given
            Map<String, NDArray> expected = Golden.tensors(GOLDEN.resolve("step.safetensors"), scope);
            LoraGoldenTest.fill(d.learning(), saved, scope);
            // When
            Replica.Terms terms = d.backward(batch(expected), 1, scope);
            // Then
            Golden.assertClose("prediction", terms.prediction(), expected.get("prediction"));
            assertThat(terms.task().getFloat()).isCloseTo(expected.get("task").getFloat(), within(1e-5f));
            Map<String, NDArray> named = new LinkedHashMap<>();
            expected.forEach((key, array) -> named.put(key.replace("grad.unet.", "grad."), array));
            DistillationGoldenTest.assertGradients(List.copyOf(d.learning().keySet()), d.gradients(scope), named);
            assertThat(d.learning().keySet()).hasSize((int) expected.keySet().stream()
                    .filter(key -> key.startsWith("grad."))
                    .count());
        }
    }

    @Test
    void shouldEncodePromptsAsTheAdaptedEncodersDo() {
        try (SavedLora saved = SavedLora.open(GOLDEN.resolve(SavedLora.FILE));
                Distillation d = adapted(saved, Precision.FP32, false, 1);
                NDManager scope = d.newScope()) {
            // Given
            Map<String, NDArray> expected = Golden.tensors(GOLDEN.resolve("step.safetensors"), scope);
            LoraGoldenTest.fill(d.learning(), saved, scope);
            // When
            PromptEncoder.Prompts encoded = d.promptEncoder().orElseThrow().encode(PROMPTS, scope);
            // Then
            Golden.assertClose("prompt_embeds", encoded.promptEmbeds(), expected.get("embeds"));
            Golden.assertClose("pooled", encoded.pooled(), expected.get("pooled"));
        }
    }

    @Test
    void shouldDoWithoutTheAdaptersWhatTheBaseDoesWithThem() throws IOException {
        try (SavedLora saved = SavedLora.open(GOLDEN.resolve(SavedLora.FILE));
                NDManager scope = Torch.newManager()) {
            // When
            for (String encoder : List.of("text_encoder", "text_encoder_2")) {
                Path base = Golden.miniSdxl().resolve(encoder);
                Path merged = Files.createDirectories(dir.resolve(encoder));
                Files.copy(base.resolve("config.json"), merged.resolve("config.json"));
                saved.merge(encoder, base, merged.resolve("model.safetensors"));
                copy(Golden.miniSdxl(), encoder.replace("text_encoder", "tokenizer"));
            }
            // Then
            Map<String, NDArray> expected = Golden.tensors(GOLDEN.resolve("step.safetensors"), scope);
            try (PromptEncoder encoder = PromptEncoder.load(dir, scope)) {
                PromptEncoder.Prompts encoded = encoder.encode(PROMPTS, scope);
                Golden.assertClose("prompt_embeds", encoded.promptEmbeds(), expected.get("embeds"));
                Golden.assertClose("pooled", encoded.pooled(), expected.get("pooled"));
            }
        }
    }

    @Test
    void shouldLearnOnlyTheAdaptersAndTheEncodersAtTheirOwnRate() {
        try (SavedLora saved = SavedLora.open(GOLDEN.resolve(SavedLora.FILE));
                Distillation d = adapted(saved, Precision.BF16, true, 0.25);
                NDManager scope = d.newScope()) {
            // Given
            Batch batch = batch(Golden.tensors(GOLDEN.resolve("step.safetensors"), scope));
            double before = d.evaluate(batch).task();
            // When: AdamW's first step is the learning rate, whatever the gradient
            step(d);
            // Then
            assertThat(largest(
                            d.learning().get("mid_block.attentions.0.transformer_blocks.0.attn2.to_q.lora_B.weight")))
                    .isCloseTo(1e-2f, within(1e-4f));
            String ofText = "text_encoder_2.text_model.encoder.layers.1.self_attn.v_proj.lora_B.weight";
            assertThat(largest(d.learning().get(ofText))).isCloseTo(0.25e-2f, within(1e-4f));
            int arrays = d.liveArrays();
            for (int i = 0; i < 20; i++) {
                step(d);
            }
            assertThat(d.liveArrays()).isEqualTo(arrays);
            assertThat(d.evaluate(batch).task()).isLessThan(0.99 * before);
            assertThat(d.loras()).containsOnlyKeys("unet", "text_encoder", "text_encoder_2");
        }
    }

    /** SD v1's, which gives its last state, normalised: the gradient along a direction is what the loss does there. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldGoBackThroughTheOnlyEncoderOfSd1(boolean recompute) throws IOException {
        // Given
        writeEncoder(20);
        Path golden = Golden.folder("unet-sd1");
        var text = new TextLora(dir, new Lora(2, 2, Lora.OF_TEXT_ENCODER), PROMPTS, 1);
        try (Distillation d = adapted(golden, new Lora(2, 2, List.of("to_q")), text, Precision.FP32, recompute);
                NDManager scope = d.newScope()) {
            Batch given = DistillationGoldenTest.batch(golden, scope);
            int samples = (int) given.timesteps().getShape().get(0);
            int[] prompts = IntStream.range(0, samples).map(i -> i % 3).toArray();
            Batch batch = new Batch(
                    given.latents(), given.noise(), given.noise(), given.timesteps(), null, null, null, null, prompts);
            List<NDArray> adapters =
                    List.copyOf(d.promptEncoder().orElseThrow().adapters().values());
            move(adapters, 1, 0.1); // where B is 0, A has no gradient
            // When
            d.backward(batch, 1, scope);
            List<NDArray> gradients = d.gradients(scope).subList(0, adapters.size());
            // Then
            double along = 0;
            for (int i = 0; i < adapters.size(); i++) {
                along += gradients
                        .get(i)
                        .mul(direction(2, i, adapters.get(i)))
                        .sum()
                        .getFloat();
            }
            double step = 0.002;
            move(adapters, 2, step);
            double more = d.evaluate(batch).task();
            move(adapters, 2, -2 * step);
            double less = d.evaluate(batch).task();
            assertThat(Math.abs(along)).isGreaterThan(1e-4);
            assertThat(along).isCloseTo((more - less) / (2 * step), withinPercentage(1));
        }
    }

    /** A random CLIP text encoder and the example's tokenizer. */
    private void writeEncoder(int width) throws IOException {
        copy(Golden.miniSdxl(), "tokenizer");
        Path folder = Files.createDirectories(dir.resolve("text_encoder"));
        Files.writeString(
                folder.resolve("config.json"),
                """
                {"architectures": ["CLIPTextModel"], "hidden_size": %d, "intermediate_size": 40, "num_attention_heads": 4,
                 "num_hidden_layers": 2, "vocab_size": 49408, "max_position_embeddings": 77, "hidden_act": "quick_gelu"}"""
                        .formatted(width));
        try (NDManager scope = Torch.newManager()) {
            var weights = new LinkedHashMap<String, NDArray>();
            ClipTextEncoder.parameterShapes(ClipConfig.read(folder))
                    .forEach((key, shape) -> weights.put(
                            key,
                            Torch.normal(weights.size(), shape, scope)
                                    .mul(0.2f)
                                    .add(key.contains("norm") && key.endsWith("weight") ? 1 : 0)));
            SavedTensors.write(folder.resolve("model.safetensors"), weights);
        }
    }

    private static NDArray direction(long seed, int i, NDArray array) {
        return Torch.normal(1000 * seed + i, array.getShape(), array.getManager());
    }

    private static void move(List<NDArray> arrays, long seed, double by) {
        try (Torch.GradMode off = Torch.gradMode(false)) {
            for (int i = 0; i < arrays.size(); i++) {
                NDArray array = arrays.get(i);
                Ops.copy(
                        List.of(array),
                        List.of(array.add(direction(seed, i, array).mul((float) by))));
            }
        }
    }

    @Test
    void shouldBeginEachNetworkWithNumbersOfItsOwn() {
        try (SavedLora saved = SavedLora.open(GOLDEN.resolve(SavedLora.FILE));
                Distillation d = adapted(saved, Precision.FP32, false, 1)) {
            List<Float> first = d.learning().entrySet().stream()
                    .filter(parameter -> parameter.getKey().endsWith("lora_A.weight"))
                    .map(parameter -> parameter.getValue().toFloatArray()[0])
                    .toList();
            assertThat(first).doesNotHaveDuplicates();
        }
    }

    /** Each with encoders of its own, which take on what the first has learnt. */
    @Test
    void shouldStepOnTwoDevicesAsOnOne() {
        try (SavedLora saved = SavedLora.open(GOLDEN.resolve(SavedLora.FILE));
                Distillation one = adapted(saved, List.of(Torch.defaultDevice()));
                Distillation two = adapted(saved, List.of(Torch.defaultDevice(), Torch.defaultDevice()))) {
            for (int step = 0; step < 3; step++) {
                for (Distillation d : List.of(one, two)) {
                    d.accumulate(List.of(half("0:2", 0, 2), half("2:4", 2, 4)));
                    d.update(1e-3);
                }
            }
            one.learning().forEach((key, array) -> assertThat(
                            array.sub(two.learning().get(key)).abs().max().getFloat())
                    .as(key)
                    .isLessThan(1e-4f));
        }
    }

    private static Distillation.Part half(String rows, int from, int to) {
        return new Distillation.Part(0.5, scope -> {
            Batch all = batch(Golden.tensors(GOLDEN.resolve("step.safetensors"), scope));
            NDArray noise = all.noise().get(rows);
            return new Batch(
                    all.latents().get(rows),
                    noise,
                    noise,
                    all.timesteps().get(rows),
                    null,
                    null,
                    all.timeIds().get(rows),
                    null,
                    Arrays.copyOfRange(OF_SAMPLES, from, to));
        });
    }

    private static Distillation adapted(SavedLora saved, List<Device> devices) {
        var text = new TextLora(Golden.miniSdxl(), saved.loras().get("text_encoder"), PROMPTS, 1);
        return adapted(Golden.miniSdxl(), saved.loras().get("unet"), text, Precision.FP32, false, devices);
    }

    private static void step(Distillation d) {
        try (NDManager scope = d.newScope()) {
            d.step(batch(Golden.tensors(GOLDEN.resolve("step.safetensors"), scope)), 1e-2);
        }
    }

    private static float largest(NDArray array) {
        return array.duplicate().abs().max().getFloat();
    }

    @ParameterizedTest
    @CsvSource({"DIFFUSERS, pytorch_lora_weights", "KOHYA, kohya"})
    void shouldNameTensorsAsDiffusersNamesThem(SavedLora.Naming naming, String file) throws IOException {
        // Given
        Path written = dir.resolve("lora.safetensors");
        // When
        try (SavedLora saved = SavedLora.open(GOLDEN.resolve(SavedLora.FILE))) {
            assertThat(saved.loras())
                    .containsOnlyKeys("unet", "text_encoder", "text_encoder_2")
                    .containsEntry("unet", new Lora(2, 3, List.of("to_q", "to_v")));
            write(saved, written, naming);
        }
        // Then
        try (SafetensorsFile ours = SafetensorsFile.open(written);
                SafetensorsFile theirs = SafetensorsFile.open(GOLDEN.resolve(file + ".safetensors"))) {
            assertThat(ours.tensors().keySet())
                    .containsExactlyInAnyOrderElementsOf(theirs.tensors().keySet());
            ours.tensors().keySet().stream()
                    .filter(name -> !name.endsWith(".alpha")) // diffusers writes the rank in its place
                    .forEach(name -> assertThat(ours.data(name)).isEqualTo(theirs.data(name)));
        }
    }

    /** kohya's LORA_PREFIX_TEXT_ENCODER; only SDXL's two are numbered. */
    @Test
    void shouldNameTheOnlyTextEncoderAsKohyaDoes() throws IOException {
        // Given
        Path written = dir.resolve("lora.safetensors");
        Path kohya = dir.resolve("kohya.safetensors");
        var lora = new Lora(2, 3, Lora.OF_TEXT_ENCODER);
        try (NDManager scope = Torch.newManager()) {
            String layer = "text_encoder.text_model.encoder.layers.0.self_attn.q_proj";
            SavedLora.write(
                    written,
                    Map.of("text_encoder", lora),
                    Map.of(
                            layer + ".lora_A.weight", scope.ones(new Shape(2, 8)),
                            layer + ".lora_B.weight", scope.ones(new Shape(8, 2))));
        }
        // When
        try (SavedLora saved = SavedLora.open(written)) {
            assertThat(saved.loras()).isEqualTo(Map.of("text_encoder", lora));
            write(saved, kohya, SavedLora.Naming.KOHYA);
        }
        // Then
        String module = "lora_te_text_model_encoder_layers_0_self_attn_q_proj";
        try (SafetensorsFile file = SafetensorsFile.open(kohya)) {
            assertThat(file.tensors())
                    .containsOnlyKeys(module + ".lora_down.weight", module + ".lora_up.weight", module + ".alpha");
        }
    }

    private static void write(SavedLora saved, Path to, SavedLora.Naming naming) throws IOException {
        saved.write(FileChannel.open(to, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), naming, DType.F32);
    }

    private void copy(Path model, String folder) throws IOException {
        Files.createDirectories(dir.resolve(folder));
        try (var files = Files.list(model.resolve(folder))) {
            for (Path file : files.toList()) {
                Files.copy(file, dir.resolve(folder).resolve(file.getFileName()));
            }
        }
    }

    private static Batch batch(Map<String, NDArray> tensors) {
        NDArray noise = tensors.get("noise");
        return new Batch(
                tensors.get("latents"),
                noise,
                noise,
                tensors.get("timesteps"),
                null,
                null,
                tensors.get("time_ids"),
                null,
                OF_SAMPLES);
    }

    private static Distillation adapted(SavedLora saved, Precision precision, boolean recompute, double rate) {
        var text = new TextLora(Golden.miniSdxl(), saved.loras().get("text_encoder"), PROMPTS, rate);
        return adapted(Golden.miniSdxl(), saved.loras().get("unet"), text, precision, recompute);
    }

    private static Distillation adapted(Path model, Lora lora, TextLora text, Precision precision, boolean recompute) {
        return adapted(model, lora, text, precision, recompute, List.of(Torch.defaultDevice()));
    }

    private static Distillation adapted(
            Path model, Lora lora, TextLora text, Precision precision, boolean recompute, List<Device> devices) {
        Path unet = model.resolve("unet");
        return Distillation.create(
                unet,
                Layouts.named(UNetConfig.read(unet), Layouts.TEACHER),
                new Distillation.Init.Adapted(lora, 0, Optional.of(text)),
                LoraGoldenTest.taskAlone(precision, recompute),
                NoiseSchedule.read(model.resolve("scheduler")),
                devices);
    }
}
