package dev.distillery.standalone.installation;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.PrefixWriter;
import dev.distillery.artifacts.StoreConfig;
import dev.distillery.embedded.EmbeddedS3;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

@Timeout(120)
class FetchCommandTest {
    private static final String WEIGHTS = "model/unet/diffusion_pytorch_model.safetensors";
    private static final byte[] BYTES = random(3_000_000);

    @TempDir
    Path dir;

    private EmbeddedS3 s3;
    private ArtifactStore store;
    private Path out;

    @BeforeEach
    void makeResults() {
        s3 = EmbeddedS3.start(dir.resolve("s3"), 0);
        store = new ArtifactStore(new StoreConfig(
                s3.endpoint(), "us-east-1", "distillery", EmbeddedS3.ACCESS_KEY, EmbeddedS3.SECRET_KEY));
        store.ensureBucket();
        put(Keys.request("done"), "{}");
        put(Keys.report("done"), "<html></html>");
        put(Keys.samples("done") + "epoch-0001/000.png", "a picture");
        var model = new PrefixWriter(store, Keys.runModel("done"));
        model.add("unet/config.json", "{}".getBytes(StandardCharsets.UTF_8));
        model.add("unet/diffusion_pytorch_model.safetensors", BYTES);
        model.add("model_index.json", "{\"index\": 1}".getBytes(StandardCharsets.UTF_8));
        model.add("done.safetensors", random(1000));
        model.complete("model", Map.of());
        out = dir.resolve("out");
    }

    @AfterEach
    void stop() {
        s3.close();
    }

    @Test
    void shouldFetchAllThatThereIs() throws IOException {
        // When
        Cli cli = cli(s3.endpoint());
        int code = cli.run("fetch", "done", "--out", out.toString(), "-o", "json");

        // Then
        assertThat(code).as(cli.err()).isZero();
        assertThat(cli.json().path("fetched").asInt()).isEqualTo(6);
        assertThat(files())
                .containsExactlyInAnyOrder(
                        "report.html",
                        "samples/epoch-0001/000.png",
                        "model/unet/config.json",
                        WEIGHTS,
                        "model/model_index.json",
                        "model/done.safetensors");
        assertThat(out.resolve(WEIGHTS)).hasBinaryContent(BYTES);
    }

    @ParameterizedTest
    @CsvSource({"unet,2", "single-file,1", "pipeline,3", "report,1", "samples,1", "'report,samples',2"})
    void shouldFetchWhatIsAskedFor(String what, int files) throws IOException {
        // When
        int code = cli(s3.endpoint()).run("fetch", "done", "--what", what, "--out", out.toString());

        // Then
        assertThat(code).isZero();
        assertThat(files()).hasSize(files);
    }

    @Test
    void shouldBringTheTextEncodersThatLearntWithTheUnet() {
        // Given
        put(Keys.request("words"), "{}");
        var model = new PrefixWriter(store, Keys.runModel("words"));
        for (String file : List.of("unet/config.json", "text_encoder/config.json", "vae/config.json")) {
            model.add(file, random(10));
        }
        model.complete("model", Map.of("trainedTextEncoders", List.of("text_encoder")));

        // When
        int code = cli(s3.endpoint()).run("fetch", "words", "--what", "unet", "--out", out.toString());

        // Then
        assertThat(code).isZero();
        assertThat(out.resolve("model/text_encoder/config.json")).exists();
        assertThat(out.resolve("model/vae")).doesNotExist();
    }

    @Test
    void shouldNotTakeAPipelineForALoraBecauseOfItsRunsName() throws IOException {
        // Given
        put(Keys.request("my-lora"), "{}");
        var model = new PrefixWriter(store, Keys.runModel("my-lora"));
        model.add("my-lora.safetensors", random(1000));
        model.add("my-lora-lora.safetensors", random(100));
        model.complete("model", Map.of());

        // When
        int code = cli(s3.endpoint()).run("fetch", "my-lora", "--what", "single-file", "--out", out.toString());

        // Then
        assertThat(code).isZero();
        assertThat(files()).containsExactly("model/my-lora.safetensors");
    }

    @Test
    void shouldKeepWhatIsWholeAndFetchWhatIsNot() throws IOException {
        // Given
        Cli cli = cli(s3.endpoint());
        cli.run("fetch", "done", "--out", out.toString());
        byte[] other = BYTES.clone();
        other[1_000_000]++;
        Files.write(out.resolve(WEIGHTS), other);

        // When
        int code = cli.run("fetch", "done", "--out", out.toString(), "-o", "json");

        // Then
        assertThat(code).as(cli.err()).isZero();
        assertThat(cli.json().path("fetched").asInt()).isEqualTo(1);
        assertThat(cli.json().path("kept").asInt()).isEqualTo(5);
        assertThat(out.resolve(WEIGHTS)).hasBinaryContent(BYTES);
    }

    @Test
    void shouldGoOnWhereTheConnectionBroke() throws IOException {
        // Given
        try (CuttingProxy proxy = new CuttingProxy(s3.endpoint(), 1_000_000, 2)) {
            Cli cli = cli(proxy.endpoint());

            // When
            int code = cli.run("fetch", "done", "--what", "unet", "--out", out.toString());

            // Then
            assertThat(code).as(cli.err()).isZero();
            assertThat(out.resolve(WEIGHTS)).hasBinaryContent(BYTES);
            assertThat(proxy.sent()).isLessThan(BYTES.length + 300_000);
        }
    }

    @Test
    void shouldShowNothingUnderItsNameUntilItIsWholeAndGoOnWhenTheCommandIsGivenAgain() throws IOException {
        // Given
        int broken;
        Cli cli;
        List<String> afterBreak;
        try (CuttingProxy proxy = new CuttingProxy(s3.endpoint(), 1_000_000, 1)) {
            cli = cli(proxy.endpoint());
            proxy.closeAfterFirstCut();
            broken = cli.run("fetch", "done", "--what", "unet", "--out", out.toString());
            afterBreak = files();
        }

        // When
        int again;
        long sent;
        try (CuttingProxy proxy = new CuttingProxy(s3.endpoint(), Long.MAX_VALUE, 0)) {
            again = cli(proxy.endpoint()).run("fetch", "done", "--what", "unet", "--out", out.toString());
            sent = proxy.sent();
        }

        // Then
        assertThat(broken).isEqualTo(1);
        assertThat(cli.err()).doesNotContain("\tat ");
        assertThat(afterBreak).doesNotContain(WEIGHTS).anyMatch(name -> name.endsWith(".part"));
        assertThat(again).isZero();
        assertThat(out.resolve(WEIGHTS)).hasBinaryContent(BYTES);
        assertThat(sent).isLessThan(BYTES.length - 500_000);
        assertThat(files()).noneMatch(name -> name.endsWith(".part"));
    }

    @Test
    void shouldRefuseWhatIsNotWhatTheManifestSays() throws IOException {
        // Given
        byte[] damaged = BYTES.clone();
        damaged[5]++;
        store.put(Keys.runModel("done") + "unet/diffusion_pytorch_model.safetensors", damaged);
        Cli cli = cli(s3.endpoint());

        // When
        int code = cli.run("fetch", "done", "--what", "unet", "--out", out.toString());

        // Then
        assertThat(code).isEqualTo(1);
        assertThat(cli.err()).contains("diffusion_pytorch_model.safetensors is not what it should be", "SHA-256");
        assertThat(files()).containsExactly("model/unet/config.json");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "none|unet|2|There is no run 'none'",
                "bare|unet|1|Run 'bare' has no unet",
                "bare|weights|2|--what must be of unet, pipeline, single-file, lora, samples, report but is weights"
            })
    void shouldSayWhatIsNotThere(String run, String what, int exitCode, String said) {
        // Given
        put(Keys.request("bare"), "{}");
        Cli cli = cli(s3.endpoint());

        // When
        int code = cli.run("fetch", run, "--what", what, "--out", out.toString());

        // Then
        assertThat(code).isEqualTo(exitCode);
        assertThat(cli.err()).contains(said);
        assertThat(out).doesNotExist();
    }

    private List<String> files() throws IOException {
        try (Stream<Path> all = Files.walk(out)) {
            return all.filter(Files::isRegularFile)
                    .map(file -> out.relativize(file).toString())
                    .toList();
        }
    }

    private Cli cli(String endpoint) {
        return Cli.without(dir)
                .env("DISTILLERY_STORE_ENDPOINT", endpoint)
                .env("DISTILLERY_STORE_ACCESS_KEY", EmbeddedS3.ACCESS_KEY)
                .env("DISTILLERY_STORE_SECRET_KEY", EmbeddedS3.SECRET_KEY);
    }

    private void put(String key, String content) {
        store.put(key, content.getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] random(int size) {
        byte[] bytes = new byte[size];
        new Random(size).nextBytes(bytes);
        return bytes;
    }
}
