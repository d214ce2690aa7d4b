package dev.distillery.planning;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

import dev.distillery.diffusion.clip.PromptEncoder;
import dev.distillery.diffusion.distill.MemoryEstimate;
import dev.distillery.diffusion.unet.UNetConfig;
import dev.distillery.events.TrainRequest;
import dev.distillery.events.Violation;
import dev.distillery.planning.MemoryCheck.DeviceMemory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

class MemoryCheckTest {
    private static final Path FOLDER = Path.of("../../../deploy/examples/mini-sdxl");
    private static final MemoryCheck MINI =
            new MemoryCheck(UNetConfig.read(FOLDER.resolve("unet")), PromptEncoder.configs(FOLDER), 4, 1);

    /** What benchmarks/README.md measured, in MB, of the same steps. */
    @ParameterizedTest
    @CsvSource({"fp32, false, 652", "fp32, true, 547", "bf16, false, 569", "bf16, true, 495"})
    void shouldComeWithinATenthOfWhatWasMeasured(String precision, boolean recompute, double megabytes)
            throws IOException {
        // Given
        TrainRequest request = request("batch: 16, precision: %s, gradientCheckpointing: %s, optimizer: {type: adamw}"
                .formatted(precision, recompute));
        // When
        MemoryEstimate estimate = MINI.estimate(request, false);
        // Then
        assertThat(estimate.total() / 1e6).isCloseTo(megabytes, withinPercentage(10));
    }

    @Test
    void shouldAcceptWhatFits() throws IOException {
        // Given
        TrainRequest request = request("batch: 16");
        // When
        Optional<Violation> violation = MINI.violation(request, new DeviceMemory(false, 24_000_000_000L));
        // Then
        assertThat(violation).isEmpty();
    }

    @Test
    void shouldNameTheEstimateAndThreeSettingsWhenItDoesNotFit() throws IOException {
        // Given
        TrainRequest request =
                request("batch: 256, precision: fp32, gradientCheckpointing: false, optimizer: {type: adamw}");
        // When
        Violation violation =
                MINI.violation(request, new DeviceMemory(true, 2_000_000_000L)).orElseThrow();
        // Then
        assertThat(violation.path()).isEqualTo("train");
        assertThat(violation.value()).contains("GB: teacher 0.04 GB", "activations", "process");
        assertThat(violation.message())
                .contains("at most the 2.00 GB")
                .contains("train.batch: 1 with train.accumulate: 256 (then 0.7", "train.gradientCheckpointing: true")
                .containsPattern("together they make it 0\\.[67]\\d GB")
                .doesNotContain("adafactor"); // it would help too, but less
    }

    @Test
    void shouldNotCountAnAverageOfWeightsThatIsElsewhere() throws IOException {
        // Given
        TrainRequest request = request("batch: 16, ema: {decay: 0.999, device: cpu}");
        // When
        MemoryEstimate onGpu = MINI.estimate(request, true);
        MemoryEstimate onCpu = MINI.estimate(request, false);
        // Then
        assertThat(onGpu.ema()).isZero();
        assertThat(onCpu.ema()).isEqualTo(onCpu.student());
    }

    @Test
    void shouldCountTextEncodersOnlyWhenTheyLearn() throws IOException {
        // Given
        String request =
                """
                run: r
                objective: dreambooth
                teacher: {model: 'file:///m'}
                subject: {images: 'file:///d', prompt: sks cat}
                student: {layout: teacher}
                lora: {rank: 4, textEncoderLearningRate: %s}
                encode: {resolution: 64}
                train: {batch: 4, precision: fp32}
                """;
        // When
        MemoryEstimate without = MINI.estimate(TrainRequest.parse(request.formatted("null")), false);
        MemoryEstimate with = MINI.estimate(TrainRequest.parse(request.formatted("1.0e-5")), false);
        // Then
        assertThat(without.textEncoders()).isZero();
        assertThat(with.textEncoders()).isEqualTo(4_942_912L * Float.BYTES);
        assertThat(with.gradients() - without.gradients()).isEqualTo(3L * 4 * (2 * 32 + 2 * 64) * 4 * Float.BYTES);
    }

    /** Images of 64 pixels, of which the example's auto-encoder makes latents of 16. */
    private static TrainRequest request(String train) throws IOException {
        return TrainRequest.parse(
                """
                run: r
                teacher: {model: "s3://b/teacher"}
                dataset: {source: "s3://b/data"}
                encode: {resolution: 64}
                train: {%s}
                """
                        .formatted(train));
    }
}
