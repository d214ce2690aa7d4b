package dev.distillery.standalone;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.diffusion.lora.SavedLora;
import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.singlefile.SingleFile;
import dev.distillery.events.TrainRequest;
import dev.distillery.standalone.console.RequestFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

import static org.assertj.core.api.Assertions.assertThat;

/** What the command line refuses, before anything is started. */
class CommandLineTest {
    private static final Path EXAMPLES = Path.of("../../deploy/examples");

    @TempDir
    Path dir;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @ParameterizedTest
    @CsvSource({
        "--help,sample",
        "run --help,--home",
        "validate --help,--device-memory",
        "push --help,--private",
        "replay --help,--batch",
        "sample --help,--prompt",
        "-V,0.1"
    })
    void shouldPrintAndSucceedWhenAskedForHelp(String arguments, String expected) {
        // When
        int code = execute(arguments.split(" "));

        // Then
        assertThat(code).isZero();
        assertThat(out.toString()).contains(arguments.equals("-V") ? "distillery" : expected);
    }

    @ParameterizedTest
    @CsvSource({
        "'',Missing command",
        "run,REQUEST.yaml",
        "run --hom x request.yaml,--hom",
        "sample --model x,--prompt",
        "distil,distil"
    })
    void shouldExitWithTwoWhenTheUsageIsWrong(String arguments, String named) {
        // When
        int code = execute(arguments.isEmpty() ? new String[0] : arguments.split(" "));

        // Then
        assertThat(code).isEqualTo(2);
        assertThat(err.toString()).contains(named);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "batch: 16|batchh: 16|train.batchh",
                "batch: 16|batch: many|train.batch",
                "layout: small|layout: enormous|student.layout",
                "layout: small|layout: enormous|tiny",
                "file:./mini-sdxl|file:./no-such-folder|teacher.model",
                "file:./noto-emoji|./no-such-folder|dataset.source",
                "run: noto-emoji-small|run: Noto Emoji|run"
            })
    void shouldNameFieldValueAndFileAndTouchNothingWhenTheRequestIsWrong(String text, String wrong, String named)
            throws IOException {
        // Given
        Path request = request(text, wrong);
        Path home = dir.resolve("home");

        // When
        int code = execute("run", request.toString(), "--home", home.toString());

        // Then
        assertThat(code).isEqualTo(2);
        assertThat(err.toString())
                .contains(request.toString(), named, wrong.replaceAll(".*[ /]", ""))
                .doesNotContain("\tat ");
        assertThat(home).doesNotExist();
    }

    @Test
    void shouldNameTheBlockThatADescribedLayoutCannotHave() throws IOException {
        // Given
        Path request = request("layout: small", "layout: custom\n  keep: {down_blocks.0: '9'}");

        // When
        int code = execute("run", request.toString());

        // Then
        assertThat(code).isEqualTo(2);
        assertThat(err.toString())
                .contains("student.keep", "of 'down_blocks.0' ('9') must list layers from 0 to", "{down_blocks.0=9}");
    }

    @Test
    void shouldTellWhatTheExampleCostsWhenItIsValidated() throws IOException {
        // When
        int code = execute("validate", EXAMPLES.resolve("request.yaml").toString(), "--output", "json");

        // Then
        assertThat(code).isZero();
        JsonNode told = new ObjectMapper().readTree(out.toString());
        assertThat(told.at("/teacher/parameters").asLong()).isEqualTo(10_277_508);
        assertThat(told.at("/student/parameters").asLong()).isEqualTo(6_966_692);
        assertThat(told.at("/pairs").asInt()).isEqualTo(1911);
        assertThat(told.at("/memory/estimate").asLong()).isBetween(600_000_000L, 700_000_000L);
        assertThat(told.at("/memory/parts/teacher").asLong()).isEqualTo(4 * 10_277_508);
        assertThat(told.at("/time/steps").asLong()).isEqualTo(320);
        assertThat(told.at("/time/stepsPerEpoch").asInt()).isEqualTo(112); // of 1,792 pairs: 119 are held out
        assertThat(told.at("/time/stepSeconds").asDouble()).isPositive();
        assertThat(told.at("/time/total").asDouble())
                .isGreaterThan(told.at("/time/training").asDouble());
    }

    @Test
    void shouldRejectARunThatDoesNotFitWithTheEstimateAndWhatWouldHelpMost() throws IOException {
        // When
        int code = execute("validate", request("batch: 16", "batch: 512").toString(), "--device-memory", "2G");

        // Then
        assertThat(code).isEqualTo(2);
        assertThat(err.toString())
                .contains(
                        "train: must need at most the 2.15 GB",
                        "activations",
                        "train.batch: 1 with train.accumulate: 512")
                .contains("train.gradientCheckpointing: true", "encode.resolution: 32", "together they make it 0.");
        assertThat(out.toString()).isEmpty();
    }

    /** The numbers that BK-SDM and PyTorch give, see StepCostTest. */
    @Test
    void shouldTellTheSizesThatPeopleQuote() {
        // When
        int code = execute("inspect", "sdxl", "--layout", "small");

        // Then
        assertThat(code).isZero();
        assertThat(out.toString())
                .containsSubsequence("sdxl at 1024 px", "2,567,463,684", "3,380.6 G", "10.27 GB")
                .containsSubsequence("small at 1024 px", "1,717,277,764  67 %", "2,251.7 G  67 %", "3.43 GB  67 %");
    }

    @Test
    void shouldMeasureTheExamplesLatency() {
        // When
        int code = execute("inspect", EXAMPLES.resolve("mini-sdxl").toString(), "--latency");

        // Then
        assertThat(code).isZero();
        assertThat(out.toString())
                .contains("mini-sdxl at 64 px", "10,277,508", "seconds a pass, fp32", "PyTorch 2.7.1");
    }

    @Test
    void shouldTellOfASingleFileWhatItTellsOfItsFolder() throws IOException {
        // Given
        Path folder = EXAMPLES.resolve("mini-sdxl");
        Path file = dir.resolve("mini.safetensors");
        try (var single = new SingleFile(folder.resolve("unet"), folder)) {
            single.write(
                    FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE),
                    DType.F16,
                    new SingleFile.About("mini", "", 64, "2026-01-01", false));
        }
        execute("inspect", folder.toString());
        String expected = out.toString().replace(folder.toString(), "");
        out.getBuffer().setLength(0);

        // When
        int code = execute("inspect", file.toString());

        // Then
        assertThat(code).isZero();
        assertThat(out.toString().replace(file.toString(), ""))
                .isEqualTo(expected)
                .contains("10,277,508");
    }

    @Test
    void shouldDrawWithTheTextEncodersThatLearntBesideTheUnet() throws IOException {
        // Given a LoRA of U-Net and text encoders, converted once with the whole pipeline and once without
        Path example = EXAMPLES.resolve("mini-sdxl");
        Path golden = Path.of("../libs/diffusion/src/test/resources/dev/distillery/diffusion/golden/lora-text");
        Path checkpoint = Files.createDirectories(dir.resolve("checkpoint/unet"));
        Files.copy(example.resolve("unet/config.json"), checkpoint.resolve("config.json"));
        Files.copy(golden.resolve(SavedLora.FILE), checkpoint.resolve(SavedLora.FILE));
        for (String save : List.of("pipeline", "unet")) {
            String[] convert = {
                "convert",
                dir.resolve("checkpoint").toString(),
                "--out",
                dir.resolve(save).toString(),
                "--save",
                save,
                "--dtype",
                "fp32",
                "--teacher",
                example.toString()
            };
            assertThat(execute(convert)).as(err.toString()).isZero();
        }
        assertThat(out.toString()).contains("pipe.load_lora_weights(\"" + dir.resolve("unet") + "\")");

        // When
        byte[] whole = sample(dir.resolve("pipeline"), null);
        byte[] parts = sample(example, dir.resolve("unet"));

        // Then
        assertThat(parts).isEqualTo(whole).isNotEqualTo(sample(example, null));
    }

    private byte[] sample(Path model, Path unet) throws IOException {
        Path png = dir.resolve("drawn.png");
        var arguments =
                new ArrayList<>(List.of("sample", "--model", model.toString(), "--prompt", "red apple, food fruit"));
        arguments.addAll(List.of("--size", "64", "--steps", "2", "--seed", "1", "--out", png.toString()));
        if (unet != null) {
            arguments.addAll(List.of("--unet", unet.toString()));
        }
        assertThat(execute(arguments.toArray(String[]::new))).as(err.toString()).isZero();
        return Files.readAllBytes(png);
    }

    @Test
    void shouldSaySoWhenTheRequestIsMissing() {
        // When
        int code = execute("run", dir.resolve("none.yaml").toString());

        // Then
        assertThat(code).isEqualTo(2);
        assertThat(err.toString()).contains("no file", "none.yaml");
    }

    @Test
    void shouldStartNothingWhenOneOfSeveralRequestsIsMissing() throws IOException {
        // Given
        Path home = dir.resolve("home");

        // When
        int code = execute(
                "run", request("", "").toString(), dir.resolve("none.yaml").toString(), "--home", home.toString());

        // Then
        assertThat(code).isEqualTo(2);
        assertThat(err.toString()).contains("no file", "none.yaml");
        assertThat(home).doesNotExist();
    }

    @Test
    void shouldNameBothFilesWhenTwoRequestsHaveOneName() throws IOException {
        // Given
        Path request = request("", "");
        Path copy = Files.copy(request, dir.resolve("copy.yaml"));

        // When
        int code = execute("run", request.toString(), copy.toString());

        // Then
        assertThat(code).isEqualTo(2);
        assertThat(err.toString()).contains("noto-emoji-small", request.toString(), copy.toString());
    }

    @Test
    void shouldCompareRequestsThatDifferInNothingButStudentAndLoss() throws IOException {
        // Given
        List<Path> files;
        try (Stream<Path> all = Files.list(EXAMPLES)) {
            files = all.filter(file -> file.getFileName().toString().startsWith("ablation-"))
                    .toList();
        }

        // When
        Set<TrainRequest> alike = new HashSet<>();
        Set<List<Object>> different = new HashSet<>();
        for (Path file : files) {
            TrainRequest request = RequestFile.parse(file);
            assertThat(file).hasFileName(request.run() + ".yaml");
            different.add(List.of(request.student(), request.train().loss()));
            alike.add(request.patched(
                    """
                    {"run": "any", "student": {"layout": "small", "init": "teacher"},
                     "train": {"loss": {"output": 1.0, "feature": 1.0}}}
                    """
                            .getBytes(StandardCharsets.UTF_8)));
        }

        // Then
        assertThat(alike).hasSize(1);
        assertThat(different).hasSize(8);
    }

    @Test
    void shouldNameTheLineWhenTheRequestIsNotYaml() throws IOException {
        // Given
        Path request = Files.writeString(dir.resolve("broken.yaml"), "run: a\nteacher: {model: [\n");

        // When
        int code = execute("run", request.toString());

        // Then
        assertThat(code).isEqualTo(2);
        assertThat(err.toString()).contains("broken.yaml", "line 3");
    }

    @Test
    void shouldSayWhatToDoWhenTheHomeIsInUse() throws IOException {
        // Given
        Path home = dir.resolve("home");
        try (Home other = Home.open(home)) {

            // When
            int code = execute("run", request("", "").toString(), "--home", home.toString());

            // Then
            assertThat(code).isEqualTo(2);
            assertThat(err.toString()).contains(other.dir().toString(), "--home");
        }
    }

    @Test
    void shouldSayWhatToDoWhenTheHomeCannotBeMade() throws IOException {
        // Given
        Path file = Files.writeString(dir.resolve("file"), "not a folder");

        // When
        int code = execute("run", request("", "").toString(), "--home", file.toString());

        // Then
        assertThat(code).isEqualTo(2);
        assertThat(err.toString()).contains(file.toString(), "--home");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "validate MODEL/../request.yaml --device-memory much|--device-memory must be a size such as 24G but is much",
                "filter-lora pom.xml --teacher sdxl --layout small --out DIR/l|pom.xml: not safetensors",
                "filter-lora pom.xml --teacher sd3 --layout small --out DIR/l|--teacher must be a diffusers folder",
                "filter-lora pom.xml --teacher sdxl --layout enormous --out DIR/l|--layout enormous: ",
                "filter-lora DIR/none --teacher sdxl --layout small --out DIR/l|LORA cannot be read",
                "inspect sd3|MODEL must be a diffusers folder, a safetensors file or one of sdxl, sd1, sd2 but is sd3",
                "inspect pom.xml|MODEL: pom.xml: not safetensors",
                "inspect sd1 --layout enormous|no layout 'enormous' for a teacher of family sd1",
                "inspect sdxl --size 100|--size must be a multiple of 32 but is 100",
                "validate MODEL/../request.yaml --output xml|--output must be table or json or yaml but is xml",
                "sample --model MODEL --prompt x --size 64 --out DIR/a.png --steps 0|--steps must be in 1..1000 but is 0",
                "sample --model DIR --prompt x --size 64 --out DIR/a.png|config.json",
                "replay --teacher MODEL --layout small --batch DIR/none --out DIR/o|--batch",
                "replay --teacher MODEL --layout small --batch DIR/none --out DIR/o --precision fp8|--precision"
            })
    void shouldNameTheOptionWhenAToolsArgumentIsWrong(String arguments, String named) {
        // When
        int code = execute(arguments
                .replace("MODEL", EXAMPLES.resolve("mini-sdxl").toString())
                .replace("DIR", dir.toString())
                .split(" "));

        // Then
        assertThat(code).isEqualTo(2);
        assertThat(err.toString()).contains(named);
    }

    /** The example's request with one thing changed, beside links to its data. */
    private Path request(String text, String replacement) throws IOException {
        for (String folder : new String[] {"mini-sdxl", "noto-emoji"}) {
            Files.createSymbolicLink(
                    dir.resolve(folder), EXAMPLES.resolve(folder).toRealPath());
        }
        String request = Files.readString(EXAMPLES.resolve("request.yaml"));
        assertThat(request).contains(text);
        return Files.writeString(
                dir.resolve("request.yaml"), request.replace(text.isEmpty() ? "\0" : text, replacement));
    }

    private int execute(String... arguments) {
        CommandLine commandLine = Main.commandLine();
        commandLine.setOut(new PrintWriter(out, true));
        commandLine.setErr(new PrintWriter(err, true));
        return commandLine.execute(arguments);
    }
}
