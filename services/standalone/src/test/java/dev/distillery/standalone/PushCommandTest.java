package dev.distillery.standalone;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.PrefixWriter;
import dev.distillery.artifacts.StoreConfig;
import dev.distillery.embedded.EmbeddedS3;
import dev.distillery.hub.HubServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

class PushCommandTest {
    private static final String CONFIG = "{\"_class_name\": \"UNet2DConditionModel\"}";
    private static final byte[] WEIGHTS = new byte[3000];

    @TempDir
    Path dir;

    private final HubServer server = new HubServer();
    private final Map<String, String> env = new HashMap<>();
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @BeforeEach
    void makeARunsModel() throws IOException {
        Path unet = Files.createDirectories(dir.resolve("home/runs/small/model/unet"));
        Files.writeString(dir.resolve("home/runs/small/report.html"), "not for the Hub");
        Files.writeString(unet.resolve("config.json"), CONFIG);
        Files.write(unet.resolve("diffusion_pytorch_model.safetensors"), WEIGHTS);
        Files.createDirectories(dir.resolve("other"));
        Files.writeString(dir.resolve("other/letter.txt"), "private");
        env.put("HF_ENDPOINT", server.endpoint());
        env.put("HF_TOKEN", "hf_good");
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"small", "DIR/home/runs/small", "DIR/home/runs/small/model"})
    void shouldPutARunsModelIntoARepositoryThatIsMade(String source) {
        // When
        int code = push(source, "hf://owner/small", "--home", "DIR/home");

        // Then
        assertThat(code).as(err.toString()).isZero();
        assertThat(out.toString())
                .contains(
                        "hf://owner/small@main is made.",
                        "2 files, 0.0 MB: " + server.endpoint() + "/owner/small/commit/");
        assertThat(server.files("models/owner/small", "main"))
                .containsEntry("unet/diffusion_pytorch_model.safetensors", WEIGHTS)
                .containsOnlyKeys(".gitattributes", "unet/config.json", "unet/diffusion_pytorch_model.safetensors");
    }

    @Test
    void shouldSayWhatIsThereWhenItIsPushedAgainAndMakeABranch() {
        // Given
        push("small", "hf://owner/small", "--home", "DIR/home");

        // When
        int again = push("small", "hf://owner/small", "--home", "DIR/home");
        int branch = push("small", "hf://owner/small@fp16", "--home", "DIR/home", "--message", "on a branch");

        // Then
        assertThat(again).isZero();
        assertThat(branch).isZero();
        assertThat(out.toString()).contains("hf://owner/small@main is there.", "All of its 2 files are there already");
        assertThat(server.files("models/owner/small", "fp16")).containsKey("unet/config.json");
    }

    @Test
    void shouldPushFromTheStoreWhatItsManifestLists() {
        // Given
        try (EmbeddedS3 s3 = EmbeddedS3.start(dir.resolve("s3"), 0)) {
            env.put("DISTILLERY_STORE_ENDPOINT", s3.endpoint());
            env.put("DISTILLERY_STORE_ACCESS_KEY", EmbeddedS3.ACCESS_KEY);
            env.put("DISTILLERY_STORE_SECRET_KEY", EmbeddedS3.SECRET_KEY);
            var store = new ArtifactStore(new StoreConfig(
                    s3.endpoint(), "us-east-1", "models", EmbeddedS3.ACCESS_KEY, EmbeddedS3.SECRET_KEY));
            store.ensureBucket();
            var model = new PrefixWriter(store, "runs/small/model/");
            model.add("unet/config.json", CONFIG.getBytes());
            model.add("unet/diffusion_pytorch_model.safetensors", WEIGHTS);
            model.add("empty.txt", new byte[0]);
            server.partBytes(1000);

            // When
            int incomplete = push("s3://models/runs/small/model", "hf://owner/small");
            model.complete("model", Map.of());
            int code = push("s3://models/runs/small", "hf://owner/small");

            // Then
            assertThat(incomplete).isEqualTo(2);
            assertThat(err.toString()).contains("s3://models/runs/small/model has no manifest.json");
            assertThat(code).as(err.toString()).isZero();
            assertThat(server.files("models/owner/small", "main"))
                    .containsEntry("unet/diffusion_pytorch_model.safetensors", WEIGHTS)
                    .containsEntry("empty.txt", new byte[0]);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "none|hf://owner/x|2|There is no folder none, and no run of this name in DIR/home",
                "DIR/other|hf://owner/x|2|DIR/other has no model: none of model_index.json, unet/config.json, config.json",
                "s3://models/runs/small/model|hf://owner/x|2|say which one with DISTILLERY_STORE_ENDPOINT",
                "small|owner/x|2|owner/x must be hf://owner/name",
                "small|hf://datasets/owner/x|2|must be a model's repository",
                "small|hf://owner/public|1|hf://owner/public@main is there and can be seen by everybody"
            })
    void shouldSayWhatIsWrongAndTouchNothing(String source, String to, int exit, String expected) {
        // Given
        server.add("models/owner/public", Map.of());

        // When
        int code = push(source, to, "--home", "DIR/home", "--private");

        // Then
        assertThat(err.toString())
                .contains(expected.replace("DIR", dir.toString()))
                .doesNotContain("\tat ");
        assertThat(code).isEqualTo(exit);
        assertThat(server.requests()).noneMatch(request -> request.startsWith("POST"));
    }

    @Test
    void shouldSayThatTheRepositoryIsAsItWasWhenTheHubTakesItNot() {
        // Given
        env.put("HF_TOKEN", "hf_read");
        server.add("models/owner/there", Map.of());

        // When
        int code = push("small", "hf://owner/there", "--home", "DIR/home");

        // Then
        assertThat(code).isEqualTo(1);
        assertThat(err.toString()).contains("hf://owner/there@main cannot be written to", "the role 'write'");
    }

    @Test
    void shouldSayWhatAnEndpointIs() {
        // Given
        env.put("HF_ENDPOINT", "huggingface.co");

        // When
        int code = push("small", "hf://owner/small", "--home", "DIR/home");

        // Then
        assertThat(code).isEqualTo(2);
        assertThat(err.toString())
                .contains("HF_ENDPOINT must be an address such as https://huggingface.co but is huggingface.co");
    }

    @Test
    void shouldAskForAToken() {
        // Given
        env.remove("HF_TOKEN");

        // When
        int code = push("small", "hf://owner/small", "--home", "DIR/home");

        // Then
        assertThat(code).isEqualTo(1);
        assertThat(err.toString()).contains("HF_TOKEN is not set");
        assertThat(server.requests()).isEmpty();
    }

    private int push(String... arguments) {
        for (int i = 0; i < arguments.length; i++) {
            arguments[i] = arguments[i].replace("DIR", dir.toString());
        }
        return Main.commandLine(new PushCommand(env))
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments);
    }
}
