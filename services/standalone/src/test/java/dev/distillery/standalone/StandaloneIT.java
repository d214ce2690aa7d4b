package dev.distillery.standalone;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.diffusion.lora.Lora;
import dev.distillery.diffusion.lora.SavedLora;
import dev.distillery.diffusion.safetensors.SafetensorsFile;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** The packaged command on a handful of images with the example's teacher: all services, a real broker, a real store, real weights. */
@Timeout(300)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class StandaloneIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int STEPS = 24;

    @TempDir
    static Path dir;

    @Test
    @Order(1)
    void shouldEndWithReportWeightsAndHowToLoadThemWhenARunCompletes() throws Exception {
        // Given
        Path request = request("whole", STEPS);

        // When
        Ended run = run(request);

        // Then
        assertThat(run.code()).as(run.text()).isZero();
        List<String> lines = run.lines();
        Path report = Path.of(value(lines.get(lines.size() - 3), "Report:"));
        Path weights = Path.of(value(lines.get(lines.size() - 2), "Weights:"));
        assertThat(lines.get(lines.size() - 1)).startsWith("Diffusers:").contains("from_pretrained");
        assertThat(report).content().contains("</html>");
        try (SafetensorsFile file = SafetensorsFile.open(weights)) {
            assertThat(file.tensors()).containsKey("conv_in.weight");
            assertThat(file.tensors().values().stream()
                            .mapToLong(t -> t.elements())
                            .sum())
                    .isEqualTo(6_966_692);
        }
        assertThat(weights.resolveSibling("config.json")).content().contains("UNet2DConditionModel");
        assertThat(run.text()).contains("ingest", "encode", "train", "convert", "loss", "/s");
    }

    @Test
    @Order(2)
    void shouldDoNothingAgainWhenTheSameRequestIsGivenAgain() throws Exception {
        // Given
        Path request = request("whole", STEPS);
        byte[] metrics = Files.readAllBytes(metrics("whole"));

        // When
        Ended run = run(request);

        // Then
        assertThat(run.code()).as(run.text()).isZero();
        assertThat(run.text()).contains("Report:", "Weights:", "Diffusers:");
        assertThat(Files.readAllBytes(metrics("whole"))).isEqualTo(metrics);
    }

    @Test
    @Order(3)
    void shouldBeRejectedWhenTheNameStandsForAnotherRequest() throws Exception {
        // Given
        Path request = request("whole", STEPS + 1);

        // When
        Ended run = run(request);

        // Then
        assertThat(run.code()).as(run.text()).isEqualTo(2);
        assertThat(run.text()).contains("rejected", "--home");
    }

    @Test
    @Order(4)
    void shouldGoOnFromTheNewestCheckpointWhenItWasKilled() throws Exception {
        // Given
        Path request = request("killed", STEPS);
        try (DistilleryProcess first = start(request)) {
            first.awaitLine("checkpoint of step 8");
            first.kill();
        }

        // When
        Ended run = run(request);

        // Then
        assertThat(run.code()).as(run.text()).isZero();
        assertThat(run.text()).doesNotContain("checkpoint of step 8");
        assertThat(trainedSteps("killed"))
                .containsExactlyElementsOf(
                        IntStream.rangeClosed(1, STEPS).boxed().toList());
    }

    @Test
    @Order(5)
    void shouldSayHowToGoOnAndLeaveThePlaceInOrderWhenTerminated() throws Exception {
        // Given
        Path request = request("stopped", STEPS);
        int code;
        List<String> said;
        try (DistilleryProcess first = start(request)) {
            first.awaitLine("checkpoint of step 8");

            // When
            first.terminate();
            code = first.await();
            said = first.lines();
        }
        Ended again = run(request);

        // Then
        assertThat(code).isEqualTo(143);
        assertThat(said).last().asString().contains("same command goes on");
        assertThat(again.code()).as(again.text()).isZero();
        assertThat(trainedSteps("stopped"))
                .containsExactlyElementsOf(
                        IntStream.rangeClosed(1, STEPS).boxed().toList());
    }

    @Test
    @Order(6)
    void shouldRunTheOthersAndShowThemOnOnePageWhenOneOfSeveralIsRejected() throws Exception {
        // Given two that were run before, and between them one whose name is taken
        Path[] requests = {request("whole", STEPS), request("killed", STEPS + 1), request("stopped", STEPS)};

        // When
        Ended run = run(requests);

        // Then
        assertThat(run.code()).as(run.text()).isEqualTo(2);
        assertThat(run.text()).contains("Run 1 of 3: whole", "Run 3 of 3: stopped", "rejected");
        Path page = Path.of(value(run.lines().get(run.lines().size() - 1), "Comparison:"));
        assertThat(page)
                .content()
                .contains("2 runs compared", "whole", "stopped")
                .doesNotContain("killed");
    }

    @Test
    @Order(7)
    void shouldLeaveALoraAndTheModelThatItMakesWhenAskedToFineTune() throws Exception {
        // Given
        Path request = ExampleRequest.write(
                dir,
                "adapted",
                8,
                """
                objective: finetune
                lora: {rank: 2, alpha: 3, targets: [to_q, to_v]}
                samples: {prompts: ["yellow heart, heart"], everyEpochs: 8, size: 64, steps: 2}
                """);

        // When
        Ended run = run(request);

        // Then
        assertThat(run.code()).as(run.text()).isZero();
        Path model = dir.resolve("home/runs/adapted/model");
        try (SavedLora lora = SavedLora.open(model.resolve(SavedLora.FILE));
                SafetensorsFile merged =
                        SafetensorsFile.open(model.resolve("unet/diffusion_pytorch_model.safetensors"))) {
            assertThat(lora.loras()).isEqualTo(Map.of("unet", new Lora(2, 3, List.of("to_q", "to_v"))));
            assertThat(merged.tensors().values().stream()
                            .mapToLong(t -> t.elements())
                            .sum())
                    .isEqualTo(10_277_508);
        }
        assertThat(dir.resolve("home/runs/adapted/report.html"))
                .content()
                .contains("fine-tuned by a LoRA of rank 2", "task loss on held-out pairs", "data:image/png")
                .doesNotContain("No values of");
    }

    private record Ended(int code, List<String> lines) {
        String text() {
            return String.join("\n", lines);
        }
    }

    private static Ended run(Path... requests) throws IOException, InterruptedException {
        try (DistilleryProcess process = start(requests)) {
            int code = process.await();
            return new Ended(code, process.lines());
        }
    }

    private static DistilleryProcess start(Path... requests) throws IOException {
        Stream<String> files = Arrays.stream(requests).map(Path::toString);
        Stream<String> home = Stream.of("--home", dir.resolve("home").toString());
        return new DistilleryProcess(
                Stream.of(Stream.of("run"), files, home).flatMap(all -> all).toArray(String[]::new));
    }

    private static Path request(String name, int steps) throws IOException {
        return ExampleRequest.write(
                dir, name, steps, "samples: {prompts: [\"yellow heart, heart\"], everyEpochs: 2, size: 64, steps: 2}");
    }

    private static Path metrics(String run) {
        return dir.resolve("home/s3/distillery/runs").resolve(run).resolve("metrics.jsonl");
    }

    private static List<Integer> trainedSteps(String run) throws IOException {
        return Files.readAllLines(metrics(run)).stream()
                .map(StandaloneIT::json)
                .filter(line -> line.has("loss"))
                .map(line -> line.get("step").asInt())
                .toList();
    }

    private static JsonNode json(String line) {
        try {
            return JSON.readTree(line);
        } catch (IOException e) {
            throw new AssertionError(line, e);
        }
    }

    private static String value(String line, String key) {
        assertThat(line).startsWith(key);
        return line.substring(key.length()).strip();
    }
}
