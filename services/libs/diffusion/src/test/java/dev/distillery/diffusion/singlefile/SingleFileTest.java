package dev.distillery.diffusion.singlefile;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.diffusion.Golden;
import dev.distillery.diffusion.distill.Families;
import dev.distillery.diffusion.distill.Layouts;
import dev.distillery.diffusion.distill.Student;
import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.diffusion.unet.UNet2DCondition;
import dev.distillery.diffusion.unet.UNetConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;

/** What is compared was made by golden_single_file.py, which reads what this leaves in {@code target/single-file}. */
class SingleFileTest {
    private static final Path MADE = Path.of("target/single-file");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final SingleFile.About ABOUT = new SingleFile.About("mini", "for the test", 64, "2026-01-01", false);

    static Stream<String> layouts() {
        return Families.NAMES.stream()
                .flatMap(family -> Stream.concat(Layouts.names(family).stream(), Stream.of("teacher"))
                        .map(layout -> family + " " + layout));
    }

    @ParameterizedTest
    @MethodSource("layouts")
    void shouldNameEveryTensorOfAUNetAsComfyUiDoesAndKnowWhichItRecognises(String familyAndLayout) throws IOException {
        // Given
        String[] names = familyAndLayout.split(" ");
        UNetConfig teacher = Families.unet(names[0]);
        UNetConfig unet = Student.of(teacher, Layouts.named(teacher, names[1])).config();
        Map<String, Shape> shapes = UNet2DCondition.parameterShapes(unet);
        // When
        Map<String, String> original = new TreeMap<>();
        OriginalUNet.tensors(unet, shapes.keySet())
                .forEach(tensor -> original.put(tensor.from().get(0), tensor.name()));
        leave(names[0] + "-" + names[1], original, shapes);
        // Then
        JsonNode golden = golden().at("/unets/" + names[0] + "-" + names[1]);
        MessageDigest digest = sha256();
        original.forEach((key, name) -> digest.update((key + " " + name + "\n").getBytes(StandardCharsets.UTF_8)));
        assertThat(new TreeSet<>(original.values())).hasSize(shapes.size());
        assertThat(hex(digest)).isEqualTo(golden.path("sha256").asText());
        assertThat(ComfyUi.recognises(unet)).isEqualTo(!golden.path("comfyUi").isNull());
    }

    /** Bit for bit a file of which diffusers made the very pipeline of the folder. */
    @Test
    void shouldWriteTheExampleAsDiffusersReadsIt() throws IOException {
        // Given
        Path file = Files.createDirectories(MADE).resolve("mini-sdxl.safetensors");
        Path example = Golden.miniSdxl();
        // When
        try (var single = new SingleFile(example.resolve("unet"), example)) {
            single.write(
                    FileChannel.open(
                            file,
                            StandardOpenOption.CREATE,
                            StandardOpenOption.TRUNCATE_EXISTING,
                            StandardOpenOption.WRITE),
                    DType.F16,
                    ABOUT);
        }
        // Then
        JsonNode golden = golden().path("mini-sdxl");
        MessageDigest digest = sha256();
        try (SafetensorsFile written = SafetensorsFile.open(file)) {
            assertThat(written.tensors()).hasSize(golden.path("tensors").asInt());
            new TreeMap<>(written.tensors()).forEach((name, tensor) -> {
                digest.update((name + " " + Arrays.toString(tensor.shape()) + "\n").getBytes(StandardCharsets.UTF_8));
                digest.update(written.data(name));
            });
        }
        assertThat(hex(digest)).isEqualTo(golden.path("sha256").asText());
    }

    @Test
    void shouldSayWhatItIs() throws IOException {
        // Given
        Path file = Files.createTempFile("single", ".safetensors");
        Path example = Golden.miniSdxl();
        // When
        try (var single = new SingleFile(example.resolve("unet"), example)) {
            single.write(FileChannel.open(file, StandardOpenOption.WRITE), DType.BF16, ABOUT);
        }
        // Then
        byte[] head = new byte[2000];
        try (var in = Files.newInputStream(file)) {
            in.readNBytes(head, 0, head.length);
        }
        assertThat(new String(head, StandardCharsets.UTF_8))
                .contains("\"format\":\"pt\"", "\"modelspec.architecture\":\"stable-diffusion-xl-v1-base\"")
                .contains("\"modelspec.prediction_type\":\"epsilon\"", "\"modelspec.resolution\":\"64x64\"");
        Files.delete(file);
    }

    private static void leave(String layout, Map<String, String> original, Map<String, Shape> shapes)
            throws IOException {
        Map<String, List<Object>> tensors = new LinkedHashMap<>();
        original.forEach(
                (key, name) -> tensors.put(key, List.of(name, shapes.get(key).getShape())));
        Files.createDirectories(MADE);
        JSON.writeValue(MADE.resolve(layout + ".json").toFile(), tensors);
    }

    private static JsonNode golden() throws IOException {
        return JSON.readTree(Golden.folder("single-file.json").toFile());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String hex(MessageDigest digest) {
        return HexFormat.of().formatHex(digest.digest());
    }
}
