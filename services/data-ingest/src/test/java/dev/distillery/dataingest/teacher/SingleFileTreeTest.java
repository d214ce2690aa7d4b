package dev.distillery.dataingest.teacher;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.dataingest.source.FileTree;
import dev.distillery.dataingest.source.HubTree;
import dev.distillery.dataingest.source.LocalTree;
import dev.distillery.dataingest.source.SourceException;
import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.diffusion.safetensors.SafetensorsWriter;
import dev.distillery.diffusion.singlefile.SingleFile;
import dev.distillery.hub.HubClient;
import dev.distillery.hub.HubServer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class SingleFileTreeTest {
    private static final Path MINI_SDXL = Path.of("../../deploy/examples/mini-sdxl");
    private static final String FIELD = "teacher.model";

    @TempDir
    Path folder;

    private Path file;

    @BeforeEach
    void writeTheExampleAsOneFile() throws IOException {
        file = folder.resolve("mini.safetensors");
        try (var single = new SingleFile(MINI_SDXL.resolve("unet"), MINI_SDXL)) {
            single.write(
                    FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE),
                    DType.F16,
                    new SingleFile.About("mini", "", 64, "2026-01-01", false));
        }
    }

    @Test
    void shouldBeTheTeacherThatTheFolderIs() throws IOException {
        // When
        TeacherFiles read = find(open(file));

        // Then
        TeacherFiles expected = find(new LocalTree(MINI_SDXL));
        assertThat(read.files().keySet())
                .containsExactlyInAnyOrderElementsOf(expected.files().keySet().stream()
                        .filter(name -> !name.equals("README.md")) // on a disk, a neighbour need not be about it
                        .toList());
        assertThat(read.unet()).isEqualTo(expected.unet());
        assertThat(read.pixelMultiple()).isEqualTo(expected.pixelMultiple());
        assertThat(read.source()).isEqualTo("file://" + file);
        for (String weights : List.of("unet/diffusion_pytorch_model", "text_encoder_2/model")) {
            String name = weights + ".safetensors";
            assertThat(tensors(copied(read.files().get(name)))).isEqualTo(tensors(MINI_SDXL.resolve(name)));
        }
        read.release();
    }

    @Test
    void shouldBeAnotherTeacherWhenTheFileOrWhatLiesBesideItIsAnother() throws IOException {
        // Given
        String before = find(open(file)).fingerprint();
        assertThat(find(open(file)).fingerprint()).isEqualTo(before).hasSize(64);

        // When
        Files.createDirectories(folder.resolve("unet"));
        Files.writeString(
                folder.resolve("unet/config.json"),
                Files.readString(MINI_SDXL.resolve("unet/config.json"))
                        .replace("\"sample_size\": 16", "\"sample_size\": 8"));
        String otherConfig = find(open(file)).fingerprint();
        Files.delete(folder.resolve("unet/config.json"));
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.allocate(1), Files.size(file) - 2);
        }
        String otherWeights = find(open(file)).fingerprint();

        // Then
        assertThat(List.of(before, otherConfig, otherWeights)).doesNotHaveDuplicates();
    }

    @Test
    void shouldReadOnlyTheHeaderOfAFileOnTheHubAndCopyItOnceForItsWeights() throws IOException {
        // Given
        byte[] bytes = Files.readAllBytes(file);
        try (var server = new HubServer()) {
            server.add(
                    "models/owner/name",
                    Map.of("best/mini.safetensors", bytes, "a.json", new byte[0], "best/README.md", "x".getBytes()));
            var client = new HubClient(HubClient.Settings.of(server.endpoint(), Optional.empty()));
            String uri = "hf://owner/name@main/best/mini.safetensors";

            // When
            TeacherFiles teacher =
                    find(SingleFileTree.of(FIELD, uri, HubTree.open(client, FIELD, SingleFileTree.folder(uri)), false));
            List<String> forTheHeader = List.copyOf(server.storage().requests());
            teacher.fingerprint();
            copied(teacher.files().get("unet/diffusion_pytorch_model.safetensors"));
            copied(teacher.files().get("vae/diffusion_pytorch_model.safetensors"));
            teacher.release();

            // Then
            assertThat(teacher.source()).isEqualTo("hf://owner/name@" + HubServer.COMMIT + "/best/mini.safetensors");
            assertThat(forTheHeader).hasSize(2).first().asString().startsWith("bytes=0-7 ");
            assertThat(server.storage()
                            .requests()
                            .subList(2, server.storage().requests().size()))
                    .hasSize((bytes.length + (16 << 20) - 1) / (16 << 20));
            assertThat(copied(teacher.files().get("README.md"))).hasContent("x");
        }
    }

    @Test
    void shouldTakeAnotherAutoEncoder() throws IOException {
        // Given
        rewriteWithout("first_stage_model.");

        // When
        TeacherFiles teacher = TeacherFiles.find(
                SingleFileTree.of(FIELD, "file://" + file, new LocalTree(folder), true),
                new LocalTree(MINI_SDXL),
                new ArrayList<>());

        // Then
        assertThat(teacher.vaeSource()).isEqualTo("file://" + MINI_SDXL);
        assertThat(teacher.source()).isEqualTo("file://" + file);
        assertThatThrownBy(() -> open(file))
                .isInstanceOf(SourceException.class)
                .hasMessage(
                        "file://" + file + " has no auto-encoder (first_stage_model.*): name a file that has one, or an"
                                + " auto-encoder by teacher.vae");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "first_stage_model."})
    void shouldTakeTheAutoEncoderOfAFileWithOrWithoutAModelAroundIt(String prefix) throws IOException {
        // Given
        rewrite(name -> name.startsWith("first_stage_model.") ? name.replace("first_stage_model.", prefix) : null);
        FileTree teacher = new LocalTree(MINI_SDXL);

        // When
        TeacherFiles read = TeacherFiles.find(teacher, vae(file, Optional.of(teacher)), new ArrayList<>(List.of()));

        // Then
        String weights = "vae/diffusion_pytorch_model.safetensors";
        assertThat(read.vaeSource()).isEqualTo("file://" + file);
        assertThat(read.pixelsPerLatent()).isEqualTo(find(teacher).pixelsPerLatent());
        assertThat(tensors(copied(read.files().get(weights)))).isEqualTo(tensors(MINI_SDXL.resolve(weights)));
        assertThat(json(read.files().get("vae/config.json")))
                .isEqualTo(new ObjectMapper()
                        .readTree(MINI_SDXL.resolve("vae/config.json").toFile()));
        read.release();
    }

    @Test
    void shouldScaleLatentsAsTheFamilyDoesOrAsAConfigurationBesideTheAutoEncoderSays() throws IOException {
        // Given a teacher without an auto-encoder of its own
        Files.createDirectories(folder.resolve("bare/unet"));
        Files.copy(MINI_SDXL.resolve("unet/config.json"), folder.resolve("bare/unet/config.json"));
        var bare = Optional.<FileTree>of(new LocalTree(folder.resolve("bare")));
        rewrite(name -> name.startsWith("first_stage_model.") ? name.replace("first_stage_model.", "") : null);

        // When
        double usual = scale(vae(file, bare));
        Files.writeString(
                folder.resolve("config.json"),
                Files.readString(MINI_SDXL.resolve("vae/config.json"))
                        .replaceFirst("\"scaling_factor\": [0-9.]+", "\"scaling_factor\": 0.5"));
        double given = scale(vae(file, bare));

        // Then
        assertThat(usual).isEqualTo(0.13025);
        assertThat(given).isEqualTo(0.5);
    }

    @Test
    void shouldSayWhatIsWrongWithAFileThatIsNoAutoEncoder() throws IOException {
        // Given
        Path diffusers = MINI_SDXL.resolve("vae/diffusion_pytorch_model.safetensors");
        Path text = MINI_SDXL.resolve("text_encoder/model.safetensors");
        rewriteWithout("first_stage_model.decoder.mid.");

        // When, Then
        assertThatThrownBy(() -> vae(diffusers, Optional.empty()))
                .isInstanceOfSatisfying(
                        SourceException.class, e -> assertThat(e.field()).isEqualTo("teacher.vae"))
                .hasMessage("file://" + diffusers
                        + " is the auto-encoder of a diffusers folder: name the folder that it is in");
        assertThatThrownBy(() -> vae(text, Optional.empty()))
                .hasMessage("file://" + text + " has no decoder.*, as an auto-encoder has");
        assertThatThrownBy(() -> vae(file, Optional.empty()))
                .hasMessageContaining("does not hold the auto-encoder that its configuration describes: no"
                        + " first_stage_model.decoder.mid.");
    }

    private static SingleFileTree vae(Path single, Optional<FileTree> teacher) throws IOException {
        return SingleFileTree.vae("teacher.vae", "file://" + single, new LocalTree(single.getParent()), teacher);
    }

    private static double scale(FileTree vae) throws IOException {
        return json(new TeacherFiles.File(vae, "vae/config.json"))
                .path("scaling_factor")
                .asDouble();
    }

    private static JsonNode json(TeacherFiles.File file) throws IOException {
        try (InputStream in = file.open()) {
            return new ObjectMapper().readTree(in);
        }
    }

    @Test
    void shouldSayWhatIsWrongWithAnyOtherFile() throws IOException {
        // Given
        Path empty = Files.createFile(folder.resolve("empty.safetensors"));
        Path text = Files.writeString(folder.resolve("page.safetensors"), "<!DOCTYPE html><html>no such file</html>");
        Path pickle = Files.createFile(folder.resolve("x.ckpt"));
        Path cut = folder.resolve("cut.safetensors");
        Files.write(cut, Arrays.copyOf(Files.readAllBytes(file), 1_000_000));

        // When, Then
        assertThatThrownBy(() -> open(empty))
                .isInstanceOf(SourceException.class)
                .hasMessageContaining("truncated: 0 bytes");
        assertThatThrownBy(() -> open(text))
                .isInstanceOf(SourceException.class)
                .hasMessageContaining("not safetensors");
        assertThatThrownBy(() -> open(pickle))
                .isInstanceOf(SourceException.class)
                .hasMessageContaining("is pickled");
        assertThatThrownBy(() -> open(cut)).isInstanceOf(SourceException.class).hasMessageContaining("truncated");
        assertThatThrownBy(() -> open(folder.resolve("mimi.safetensors")))
                .isInstanceOf(SourceException.class)
                .hasMessage("there is no file://" + folder.resolve("mimi.safetensors"));
    }

    private FileTree open(Path single) throws IOException {
        return SingleFileTree.of(FIELD, "file://" + single, new LocalTree(single.getParent()), false);
    }

    private static TeacherFiles find(FileTree tree) throws IOException {
        List<SourceException> problems = new ArrayList<>();
        TeacherFiles teacher = TeacherFiles.find(tree, null, problems);
        assertThat(problems).isEmpty();
        return teacher;
    }

    private Path copied(TeacherFiles.File part) throws IOException {
        Path copy = folder.resolve("copy");
        try (InputStream in = part.open()) {
            Files.copy(in, copy, StandardCopyOption.REPLACE_EXISTING);
        }
        return copy;
    }

    /** Types, shapes and digests of bytes by name. */
    private static Map<String, String> tensors(Path weights) {
        Map<String, String> tensors = new LinkedHashMap<>();
        try (SafetensorsFile opened = SafetensorsFile.open(weights)) {
            opened.tensors().values().stream()
                    .filter(tensor -> !tensor.name().endsWith("position_ids"))
                    .forEach(tensor -> tensors.put(
                            tensor.name(),
                            tensor.dtype()
                                    + Arrays.toString(tensor.shape())
                                    + opened.data(tensor.name()).hashCode()));
        }
        return tensors;
    }

    private void rewriteWithout(String prefix) throws IOException {
        rewrite(name -> name.startsWith(prefix) ? null : name);
    }

    /** @param renamed what a tensor is to be called; null to leave it out */
    private void rewrite(UnaryOperator<String> renamed) throws IOException {
        Path whole = Files.move(file, folder.resolve("whole"));
        try (SafetensorsFile from = SafetensorsFile.open(whole)) {
            var plan = new SafetensorsWriter.Plan();
            from.metadata().forEach(plan::metadata);
            var kept = from.tensors().values().stream()
                    .filter(tensor -> renamed.apply(tensor.name()) != null)
                    .toList();
            kept.forEach(tensor -> plan.add(renamed.apply(tensor.name()), tensor.dtype(), tensor.shape()));
            try (var writer = new SafetensorsWriter(
                    FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE), plan)) {
                for (var tensor : kept) {
                    writer.write(renamed.apply(tensor.name()), from.data(tensor.name()));
                }
            }
        }
    }
}
