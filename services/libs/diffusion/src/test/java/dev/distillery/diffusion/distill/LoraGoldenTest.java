package dev.distillery.diffusion.distill;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import dev.distillery.diffusion.Golden;
import dev.distillery.diffusion.lora.SavedLora;
import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.diffusion.schedule.NoiseSchedule;
import dev.distillery.diffusion.tensor.Ops;
import dev.distillery.diffusion.tensor.Precision;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.tensor.Weights;
import dev.distillery.diffusion.unet.UNet2DCondition;
import dev.distillery.diffusion.unet.UNetConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

/** LoRA against peft 0.21.2 in diffusers 0.35.1; golden tensors by {@code src/test/python/golden_lora.py}. */
class LoraGoldenTest {
    @TempDir
    Path dir;

    @ParameterizedTest
    @CsvSource({"sdxl, false", "sdxl, true", "sd1, false", "sd1, true"})
    void shouldEqualPeftInPredictionAndEveryGradient(String family, boolean recompute) {
        Path golden = Golden.folder("unet-" + family);
        try (SavedLora saved = SavedLora.open(golden.resolve("lora").resolve(SavedLora.FILE));
                Distillation d = adapted(golden, saved, Precision.FP32, recompute);
                NDManager scope = d.newScope()) {
            // Given
            Map<String, NDArray> expected = Golden.tensors(golden.resolve("lora/step.safetensors"), scope);
            fill(d.learning(), saved, scope);
            // When
            Replica.Terms terms = d.backward(DistillationGoldenTest.batch(golden, scope), 1, scope);
            // Then
            Golden.assertClose("prediction", terms.prediction(), expected.get("prediction"));
            assertThat(terms.task().getFloat()).isCloseTo(expected.get("task").getFloat(), within(1e-5f));
            List<String> keys = List.copyOf(d.learning().keySet());
            assertThat(keys).hasSize(expected.size() - 2);
            DistillationGoldenTest.assertGradients(keys, d.gradients(scope), expected);
        }
    }

    @Test
    void shouldLearnNothingButTheAdaptersAndBeginAsTheBase() {
        Path golden = Golden.folder("unet-sdxl");
        try (SavedLora saved = SavedLora.open(golden.resolve("lora").resolve(SavedLora.FILE));
                Distillation d = adapted(golden, saved, Precision.BF16, true);
                NDManager scope = d.newScope()) {
            // Given
            Batch batch = DistillationGoldenTest.batch(golden, scope);
            float[] frozen = d.student()
                    .parameters()
                    .get("conv_in.weight")
                    .toType(DataType.FLOAT32, true)
                    .toFloatArray();
            double before = d.evaluate(batch).task();
            // When
            double base;
            try (UNet2DCondition.Bare bare = d.student().withoutAdapters()) {
                base = d.evaluate(batch).task();
            }
            for (int i = 0; i < 20; i++) {
                d.step(batch, 1e-2);
            }
            double learnt = d.evaluate(batch).task();
            double without;
            try (UNet2DCondition.Bare bare = d.student().withoutAdapters()) {
                without = d.evaluate(batch).task();
            }
            // Then
            assertThat(before).isEqualTo(base);
            assertThat(learnt).isLessThan(0.99 * before);
            assertThat(without).isEqualTo(base);
            assertThat(d.evaluate(batch).task()).isEqualTo(learnt);
            assertThat(d.student()
                            .parameters()
                            .get("conv_in.weight")
                            .toType(DataType.FLOAT32, true)
                            .toFloatArray())
                    .isEqualTo(frozen);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"sdxl", "sd1"})
    void shouldDoWithoutTheAdapterWhatTheBaseDoesWithIt(String family) throws IOException {
        Path golden = Golden.folder("unet-" + family);
        try (SavedLora saved = SavedLora.open(golden.resolve("lora").resolve(SavedLora.FILE));
                NDManager scope = Torch.newManager()) {
            // When
            Files.copy(golden.resolve("unet/config.json"), dir.resolve("config.json"));
            saved.merge("unet", golden.resolve("unet"), dir.resolve("diffusion_pytorch_model.safetensors"));
            // Then
            Map<String, NDArray> expected = Golden.tensors(golden.resolve("lora/step.safetensors"), scope);
            Map<String, NDArray> teacher = Golden.tensors(golden.resolve("teacher.safetensors"), scope);
            Batch batch = DistillationGoldenTest.batch(golden, scope);
            UNet2DCondition merged = UNet2DCondition.load(dir, scope);
            Golden.assertClose(
                    "prediction", merged.predict(batch.input(teacher.get("noisy"))), expected.get("prediction"));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "sdxl, DIFFUSERS, pytorch_lora_weights",
        "sd1, DIFFUSERS, pytorch_lora_weights",
        "sdxl, KOHYA, kohya",
        "sd1, KOHYA, kohya"
    })
    void shouldNameTensorsAsDiffusersNamesThem(String family, SavedLora.Naming naming, String file) throws IOException {
        // Given
        Path golden = Golden.folder("unet-" + family + "/lora");
        Path written = dir.resolve("lora.safetensors");
        // When
        try (SavedLora saved = SavedLora.open(golden.resolve(SavedLora.FILE))) {
            saved.write(
                    FileChannel.open(written, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                    naming,
                    DType.F32);
        }
        // Then
        try (SafetensorsFile ours = SafetensorsFile.open(written);
                SafetensorsFile theirs = SafetensorsFile.open(golden.resolve(file + ".safetensors"))) {
            assertThat(ours.tensors().keySet())
                    .containsExactlyInAnyOrderElementsOf(theirs.tensors().keySet());
            ours.tensors().values().stream()
                    .filter(tensor -> !tensor.name().endsWith(".alpha")) // diffusers writes the rank in its place
                    .forEach(tensor -> assertThat(ours.data(tensor.name())).isEqualTo(theirs.data(tensor.name())));
            ours.tensors().values().stream()
                    .filter(tensor -> tensor.name().endsWith(".alpha"))
                    .forEach(tensor ->
                            assertThat(ours.data(tensor.name()).getFloat()).isEqualTo(3));
        }
    }

    @Test
    void shouldSayWhatItIsNotFor() {
        Path sdxl = Golden.folder("unet-sdxl");
        try (SavedLora ofOther = SavedLora.open(Golden.folder("unet-sd1/lora").resolve(SavedLora.FILE))) {
            assertThatThrownBy(() -> ofOther.merge("unet", sdxl.resolve("unet"), dir.resolve("merged.safetensors")))
                    .hasMessageContaining("down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.weight")
                    .hasMessageContaining("not there");
        }
        assertThatThrownBy(() -> SavedLora.open(sdxl.resolve("lora/kohya.safetensors")))
                .hasMessageContaining("lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_k.alpha");
        assertThat(dir.resolve("merged.safetensors")).doesNotExist();
    }

    private static Distillation adapted(Path golden, SavedLora saved, Precision precision, boolean recompute) {
        return Distillation.create(
                golden.resolve("unet"),
                Layouts.named(UNetConfig.read(golden.resolve("unet")), Layouts.TEACHER),
                new Distillation.Init.Adapted(saved.loras().get("unet"), 0, Optional.empty()),
                taskAlone(precision, recompute),
                NoiseSchedule.read(golden.resolve("scheduler")));
    }

    /** Fine-tuning. */
    static Distillation.Settings taskAlone(Precision precision, boolean recompute) {
        return new Distillation.Settings(
                new Objective(
                        new LossWeights(1, 0, 0),
                        SampleWeighting.EQUAL,
                        OptionalDouble.empty(),
                        FeaturePoints.BLOCK,
                        false),
                AdamW.Settings.withWeightDecay(0),
                Optional.empty(),
                1,
                precision,
                recompute,
                false);
    }

    /** Puts a file's adapters in the place of those that learn. */
    static void fill(Map<String, NDArray> adapters, SavedLora saved, NDManager scope) {
        Weights.Source source = saved.source(scope);
        assertThat(source.keys()).containsExactlyInAnyOrderElementsOf(adapters.keySet());
        try (Torch.GradMode off = Torch.gradMode(false)) {
            adapters.forEach((key, array) -> Ops.copy(List.of(array), List.of(source.load(key))));
        }
    }
}
