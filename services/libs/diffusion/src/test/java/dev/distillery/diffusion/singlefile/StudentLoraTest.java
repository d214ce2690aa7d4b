package dev.distillery.diffusion.singlefile;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;

import dev.distillery.diffusion.Golden;
import dev.distillery.diffusion.distill.Layouts;
import dev.distillery.diffusion.distill.Student;
import dev.distillery.diffusion.lora.SavedLora;
import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.diffusion.safetensors.SafetensorsWriter;
import dev.distillery.diffusion.unet.UNet2DCondition;
import dev.distillery.diffusion.unet.UNetConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class StudentLoraTest {
    @TempDir
    Path dir;

    /** sd1's tiny lacks the mid block and the innermost level, so that the up blocks have other numbers. */
    @ParameterizedTest
    @CsvSource({"sdxl, small", "sdxl, tiny", "sd1, base", "sd1, tiny"})
    void shouldKeepWhatTheStudentHasByTheStudentsNames(String family, String layout) throws IOException {
        // Given
        Path golden = Golden.folder("unet-" + family);
        UNetConfig teacher = UNetConfig.read(golden.resolve("unet"));
        Student student = Student.of(teacher, Layouts.named(teacher, layout));
        Path written = dir.resolve("filtered.safetensors");
        try (SafetensorsFile lora = SafetensorsFile.open(golden.resolve("lora").resolve(SavedLora.FILE))) {
            // When
            StudentLora filtered = StudentLora.of(lora, teacher, student);
            filtered.write(lora, FileChannel.open(written, StandardOpenOption.CREATE, StandardOpenOption.WRITE));
            // Then
            try (SavedLora saved = SavedLora.open(written);
                    SafetensorsFile file = SafetensorsFile.open(written)) {
                assertThat(saved.loras()
                                .get("unet")
                                .shapes(UNet2DCondition.parameterShapes(student.config()))
                                .keySet())
                        .hasSize(file.tensors().size())
                        .hasSize(2 * filtered.kept().size());
                assertThat(filtered.kept().size() + filtered.dropped().size())
                        .isEqualTo(lora.tensors().size() / 2);
                assertThat(filtered.dropped()).isNotEmpty();
            }
            filtered.kept().forEach(layer -> {
                String key = layer.replaceFirst("^unet\\.", "");
                String taught = student.teacherKeys().get(key + ".weight").replaceFirst("\\.weight$", "");
                String down = lora.tensors().containsKey("unet." + taught + ".lora.down.weight")
                        ? ".lora.down.weight"
                        : ".lora_A.weight";
                assertThat(filtered.tensors()).containsEntry("unet." + taught + down, layer + down);
            });
        }
    }

    @ParameterizedTest
    @CsvSource({"sdxl, small", "sd1, tiny"})
    void shouldKeepTheSameOfAFileOfKohyas(String family, String layout) {
        Path golden = Golden.folder("unet-" + family);
        UNetConfig teacher = UNetConfig.read(golden.resolve("unet"));
        Student student = Student.of(teacher, Layouts.named(teacher, layout));
        try (SafetensorsFile ofDiffusers =
                        SafetensorsFile.open(golden.resolve("lora").resolve(SavedLora.FILE));
                SafetensorsFile ofKohya = SafetensorsFile.open(golden.resolve("lora/kohya.safetensors"))) {
            StudentLora kohya = StudentLora.of(ofKohya, teacher, student);
            StudentLora diffusers = StudentLora.of(ofDiffusers, teacher, student);
            assertThat(kohya.kept())
                    .containsExactlyInAnyOrderElementsOf(diffusers.kept().stream()
                            .map(layer ->
                                    layer.replaceFirst("^unet\\.", "lora_unet.").replace('.', '_'))
                            .toList());
            assertThat(kohya.tensors()).hasSize(3 * kohya.kept().size()); // alpha, too
        }
    }

    /** As kohya's scripts name the layers of SDXL; text encoders are the student's as they are the teacher's. */
    @Test
    void shouldKnowTheOriginalCodesNamesOfLayers() throws IOException {
        // Given
        UNetConfig sdxl = UNetConfig.read(Golden.folder("unet-sdxl").resolve("unet"));
        String query = "_transformer_blocks_0_attn1_to_q.lora_down.weight";
        var keys = List.of(
                "lora_unet_input_blocks_4_1" + query, // the first layer of the second level
                "lora_unet_input_blocks_5_1" + query, // its second, which small lacks
                "lora_te1_text_model_encoder_layers_0_mlp_fc1.alpha");
        Path file = dir.resolve("kohya.safetensors");
        var plan = new SafetensorsWriter.Plan();
        keys.forEach(key -> plan.add(key, DType.F32, 1));
        try (var writer = new SafetensorsWriter(
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE), plan)) {
            for (String key : keys) {
                writer.write(key, ByteBuffer.allocate(Float.BYTES));
            }
        }
        try (SafetensorsFile lora = SafetensorsFile.open(file)) {
            // When
            StudentLora filtered = StudentLora.of(lora, sdxl, Student.of(sdxl, Layouts.named(sdxl, "small")));
            // Then
            assertThat(filtered.tensors())
                    .containsExactly(
                            Map.entry(keys.get(0), "lora_unet_input_blocks_3_1" + query),
                            Map.entry(keys.get(2), keys.get(2)));
            assertThat(filtered.dropped())
                    .containsExactly("lora_unet_input_blocks_5_1_transformer_blocks_0_attn1_to_q");
        }
    }

    @Test
    void shouldSayWhichKeyIsOfAnotherModel() {
        UNetConfig sdxl = UNetConfig.read(Golden.folder("unet-sdxl").resolve("unet"));
        Student student = Student.of(sdxl, Layouts.named(sdxl, "small"));
        try (SafetensorsFile ofSd1 =
                SafetensorsFile.open(Golden.folder("unet-sd1/lora").resolve(SavedLora.FILE))) {
            assertThatThrownBy(() -> StudentLora.of(ofSd1, sdxl, student))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q");
        }
    }
}
