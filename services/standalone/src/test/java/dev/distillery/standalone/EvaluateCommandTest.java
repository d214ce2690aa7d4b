package dev.distillery.standalone;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.diffusion.image.RgbImage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

/** On the examples, and on the small stand-ins for CLIP and Inception that the models' tests have. */
class EvaluateCommandTest {
    private static final Path EXAMPLES = Path.of("../../deploy/examples");
    private static final Path TEACHER = EXAMPLES.resolve("mini-sdxl");
    private static final Path DATA = EXAMPLES.resolve("noto-emoji");
    private static final Path GOLDEN = Path.of("../libs/diffusion/src/test/resources/dev/distillery/diffusion/golden");

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @TempDir
    Path dir;

    @Test
    void shouldFindNothingBetweenTheTeacherAndItself() throws IOException {
        // When
        int code = evaluate("--images", "2", "--steps", "2", "-o", "json", "--grid", grid().toString());

        // Then
        assertThat(err.toString()).contains("2/2 images");
        assertThat(code).isZero();
        JsonNode report = report();
        assertThat(report.at("/match/outputError").asDouble()).isZero();
        assertThat(report.at("/match/featureError").asDouble()).isZero();
        assertThat(report.at("/match/latentDistance").asDouble()).isCloseTo(0, within(1e-6));
        assertThat(report.at("/match/timesteps").size()).isEqualTo(10);
        assertThat(report.at("/protocol/scheduler").asText()).isEqualTo("EulerDiscreteScheduler");
        assertThat(report.has("real")).isFalse();
        assertThat(RgbImage.decode(Files.readAllBytes(grid())))
                .extracting(RgbImage::width, RgbImage::height)
                .containsExactly(3 * 64 + 2 * 2, 2 * 64 + 2);
    }

    @Test
    void shouldTellWhatTheScoresAreOf() throws Exception {
        // When
        int code = evaluate("--images", "1", "--first", "1", "--steps", "1", "--scheduler", "pndm", "-o", "json");
        JsonNode second = report();
        out.getBuffer().setLength(0);
        evaluate("--images", "1", "--steps", "1", "-o", "json");
        JsonNode first = report();

        // Then
        assertThat(code).as(err.toString()).isZero();
        assertThat(second.at("/protocol/scheduler").asText()).isEqualTo("PNDMScheduler");
        assertThat(second.at("/digests/student/diffusion_pytorch_model.safetensors")
                        .asText())
                .isEqualTo(sha256(TEACHER.resolve("unet/diffusion_pytorch_model.safetensors")));
        assertThat(second.at("/digests/teacher")).hasSizeGreaterThan(10).isEqualTo(first.at("/digests/teacher"));
        assertThat(second.at("/digests/data").asText())
                .matches("[0-9a-f]{64}")
                .isNotEqualTo(first.at("/digests/data").asText());
    }

    @Test
    void shouldTakeAPublishedProtocol() throws Exception {
        // When it asks for more images than there are
        int code = evaluate("--protocol nota --clip %s --inception %s --inception-sha256 0"
                .formatted(clip(), GOLDEN.resolve("evaluate/standin.pt"))
                .split(" "));

        // Then
        assertThat(code).isEqualTo(2);
        assertThat(err.toString()).contains("must have 30000 pairs that can be used but has 1911");
    }

    @Test
    void shouldScoreTheSamePicturesAlike() throws Exception {
        // Given
        Path inception = GOLDEN.resolve("evaluate/standin.pt");
        String digest = sha256(inception);

        // When
        int code = evaluate(
                ("--scores clip,fid,is --images 10 --steps 1 -o json --clip %s --inception %s --inception-sha256 %s")
                        .formatted(clip(), inception, digest)
                        .split(" "));
        JsonNode all = report();

        // Then
        assertThat(code).as(err.toString()).isZero();
        for (String score : List.of("clip", "fid", "is")) {
            assertThat(all.at("/student/" + score).isNumber()).as(score).isTrue();
            assertThat(all.at("/student/" + score)).isEqualTo(all.at("/teacher/" + score));
        }
        assertThat(all.at("/real/clip").isNumber()).isTrue();
        assertThat(all.at("/digests/inception").asText()).isEqualTo(digest);
        assertThat(all.has("match")).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--scores clip|--clip DIR must be given",
                "--scores fid|--inception FILE must be given",
                "--protocol mine|--protocol must be nota but is mine",
                "--scheduler heun|--scheduler must be euler or ddim or pndm but is heun",
                "--scores beauty|teacher-match, CLIP, FID, IS",
                "--scores is --images 9|--images must be in 10..",
                "--first 1900 --images 32|must have 1932 pairs that can be used but has 1911",
                "--caption words|words"
            })
    void shouldRefuseWhatCannotBeScored(String arguments, String expected) {
        // When
        int code = evaluate(arguments.split(" "));

        // Then
        assertThat(code).isEqualTo(2);
        assertThat(err.toString()).containsIgnoringCase(expected).doesNotContain("\tat ");
    }

    @Test
    void shouldReadAFileAlone() {
        // Given a file of a quarter of the data
        Path file = DATA.resolve("data/train-00003-of-00004.parquet");

        // When
        int code = run(file, List.of("--first", "400", "--images", "100"));

        // Then
        assertThat(code).isEqualTo(2);
        assertThat(err.toString()).containsPattern("must have 500 pairs that can be used but has 47\\d");
    }

    private int evaluate(String... arguments) {
        return run(DATA, List.of(arguments));
    }

    private int run(Path data, List<String> arguments) {
        List<String> all = new ArrayList<>(List.of("evaluate", "--model", TEACHER.toString()));
        all.addAll(List.of("--teacher", TEACHER.toString(), "--data", data.toString(), "--size", "64"));
        all.addAll(arguments);
        CommandLine commandLine = Main.commandLine();
        commandLine.setOut(new PrintWriter(out, true));
        commandLine.setErr(new PrintWriter(err, true));
        return commandLine.execute(all.toArray(String[]::new));
    }

    private Path grid() {
        return dir.resolve("new/grid.png");
    }

    private static String sha256(Path file) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
    }

    private JsonNode report() throws IOException {
        return new ObjectMapper().readTree(out.toString());
    }

    /** A small CLIP with the tokenizer of the example's teacher. */
    private Path clip() throws IOException {
        for (String file : List.of("config.json", "model.safetensors", "preprocessor_config.json")) {
            Files.copy(GOLDEN.resolve("clip-model/clip-quick").resolve(file), dir.resolve(file));
        }
        for (String file : List.of("vocab.json", "merges.txt", "tokenizer_config.json")) {
            Files.copy(TEACHER.resolve("tokenizer").resolve(file), dir.resolve(file));
        }
        return dir;
    }
}
