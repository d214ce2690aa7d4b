package dev.distillery.standalone;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import dev.distillery.artifacts.ArtifactCorruptException;
import dev.distillery.artifacts.ArtifactMissingException;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.ArtifactWriter;
import dev.distillery.artifacts.FolderWriter;
import dev.distillery.artifacts.Manifests;
import dev.distillery.artifacts.PrefixWriter;
import dev.distillery.artifacts.StoreConfig;
import dev.distillery.embedded.EmbeddedS3;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class ConvertCommandTest {
    private static final Path EXAMPLE = Path.of("../../deploy/examples/mini-sdxl");
    private static final String WEIGHTS = "unet/diffusion_pytorch_model.safetensors";

    @TempDir
    Path dir;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void shouldWriteEverythingThatIsAskedForAndReplaceItNextTime() throws IOException {
        // Given
        Path checkpoint = checkpoint();
        Path to = dir.resolve("converted");

        // When
        int first = execute(checkpoint, to, "--save", "pipeline,single-file", "--teacher", EXAMPLE.toString());
        int second = execute(checkpoint, to, "--variant", "bf16", "--dtype", "bf16", "--max-shard-size", "5MB");

        // Then
        assertThat(List.of(first, second)).as(err.toString()).containsExactly(0, 0);
        assertThat(out.toString())
                .contains("10,277,508 parameters, fp16", "DiffusionPipeline.from_pretrained(\"" + to + "\")")
                .contains("UNet2DConditionModel.from_pretrained(\"" + to + "\", subfolder=\"unet\", variant=\"bf16\")");
        assertThat(to.resolve("unet/diffusion_pytorch_model.safetensors.index.bf16.json"))
                .exists();
        assertThat(to.resolve("unet/diffusion_pytorch_model.bf16-00001-of-00005.safetensors"))
                .exists();
        assertThat(to.resolve("model_index.json")).doesNotExist();
        assertThat(Manifests.find(to).orElseThrow().about())
                .containsEntry("run", "made")
                .containsEntry("step", 7)
                .containsEntry("dtype", "bf16");
        assertThat(Files.list(dir)).containsExactlyInAnyOrder(checkpoint, to);
    }

    @Test
    void shouldTellFileAndBothDigestsWhenACheckpointIsDamaged() throws IOException {
        // Given
        Path checkpoint = checkpoint();
        byte[] weights = Files.readAllBytes(checkpoint.resolve(WEIGHTS));
        weights[weights.length - 1]++;
        Files.write(checkpoint.resolve(WEIGHTS), weights);

        // When
        int code = execute(checkpoint, dir.resolve("converted"));

        // Then
        String digest = Manifests.find(checkpoint).orElseThrow().files().stream()
                .filter(file -> file.name().equals(WEIGHTS))
                .findFirst()
                .orElseThrow()
                .sha256();
        assertThat(code).isEqualTo(2);
        assertThat(err.toString())
                .contains(checkpoint.resolve(WEIGHTS).toString(), "SHA-256 should be " + digest + " but is ");
        assertThat(Files.list(dir)).containsExactly(checkpoint);
    }

    @Test
    void shouldRefuseACheckpointThatIsNotComplete() throws IOException {
        // Given
        Path checkpoint = checkpoint();
        Files.delete(checkpoint.resolve("manifest.json"));

        // When
        int code = execute(checkpoint, dir.resolve("converted"));

        // Then
        assertThat(code).isEqualTo(2);
        assertThat(err.toString()).contains(checkpoint + " is not complete: it has no manifest.json");
    }

    @Test
    void shouldLeaveAFolderOfOthersAsItIs() throws IOException {
        // Given
        Path to = Files.createDirectories(dir.resolve("photos"));
        Files.writeString(to.resolve("cat.txt"), "a cat");

        // When
        int code = execute(EXAMPLE, to);

        // Then
        assertThat(code).isEqualTo(2);
        assertThat(err.toString()).contains(to.toString(), "holds something else (cat.txt)");
        assertThat(to.resolve("cat.txt")).hasContent("a cat");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "--save unet,everything|'save' must be of unet, pipeline, single-file, kohya but was '[unet, everything]'",
                "--save pipeline|--save pipeline needs the teacher's other parts: --teacher",
                "--save pipeline --teacher nowhere|nowhere is no folder",
                "--dtype fp8|'dtype' must be one of bf16, fp16, fp32 but was 'fp8'",
                "--variant ../fp16|'variant' must be a short name such as fp16, of letters, digits and _ but was '../fp16'",
                "--max-shard-size 5|'maxShardSize' must be a size such as 10GB or 500MB but was '5'",
                "--weights average|--weights must be raw or ema but is average",
                "--weights ema|holds no average of the weights"
            })
    void shouldNameOptionAndValueWhenOneIsWrong(String options, String message) {
        // When
        int code = execute(EXAMPLE, dir.resolve("converted"), options.split(" "));

        // Then
        assertThat(code).isEqualTo(2);
        assertThat(err.toString()).contains(message).doesNotContain("\tat ");
        assertThat(dir).isEmptyDirectory();
    }

    @Test
    void shouldTakeACheckpointOutOfAStoreIfItIsWhatItsManifestSays() throws IOException {
        // Given
        try (EmbeddedS3 s3 = EmbeddedS3.start(dir.resolve("s3"), 0)) {
            var store = new ArtifactStore(
                    new StoreConfig(s3.endpoint(), "us-east-1", "mine", EmbeddedS3.ACCESS_KEY, EmbeddedS3.SECRET_KEY));
            store.ensureBucket();
            fill(new PrefixWriter(store, "runs/made/"));
            fill(new PrefixWriter(store, "runs/damaged/"));
            store.put("runs/damaged/unet/config.json", "{}".getBytes());

            // When
            var found = CheckpointFolder.of(
                    "s3://mine/runs/made", "raw", Optional.of(bucket -> store), dir.resolve("found"));

            // Then
            assertThat(found.unet().resolve("diffusion_pytorch_model.safetensors"))
                    .hasSameBinaryContentAs(EXAMPLE.resolve(WEIGHTS));
            assertThat(dir.resolve("found/optimizer.safetensors")).doesNotExist();
            assertThatThrownBy(() -> CheckpointFolder.of(
                            "s3://mine/runs/damaged", "raw", Optional.of(bucket -> store), dir.resolve("damaged")))
                    .isInstanceOf(ArtifactCorruptException.class)
                    .hasMessageContaining("runs/damaged/unet/config.json")
                    .hasMessageContaining("SHA-256");
            assertThatThrownBy(() -> CheckpointFolder.of(
                            "s3://mine/runs/none", "raw", Optional.of(bucket -> store), dir.resolve("none")))
                    .isInstanceOf(ArtifactMissingException.class)
                    .hasMessageContaining("runs/none/ is not complete");
        }
    }

    private Path checkpoint() {
        Path folder = dir.resolve("step-00000007");
        fill(FolderWriter.of(folder));
        return folder;
    }

    private static void fill(ArtifactWriter writer) {
        writer.add("unet/config.json", EXAMPLE.resolve("unet/config.json"));
        writer.add(WEIGHTS, EXAMPLE.resolve(WEIGHTS));
        writer.add("optimizer.safetensors", new byte[] {1});
        writer.add("state.json", "{}".getBytes());
        writer.complete("checkpoint", Map.of("run", "made", "step", 7));
    }

    private int execute(Path checkpoint, Path to, String... more) {
        List<String> arguments = new ArrayList<>(List.of("convert", checkpoint.toString(), "--out", to.toString()));
        arguments.addAll(List.of(more));
        CommandLine commandLine = Main.commandLine();
        commandLine.setOut(new PrintWriter(out, true));
        commandLine.setErr(new PrintWriter(err, true));
        return commandLine.execute(arguments.toArray(String[]::new));
    }
}
