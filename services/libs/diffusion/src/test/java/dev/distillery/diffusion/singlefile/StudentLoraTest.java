package dev.distillery.diffusion.singlefile;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

import dev.distillery.diffusion.Golden;
import dev.distillery.diffusion.distill.Layouts;
import dev.distillery.diffusion.distill.Student;
import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.diffusion.unet.SavedLora;
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
                assertThat(saved.lora().shapes(student.config()).keySet())
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
