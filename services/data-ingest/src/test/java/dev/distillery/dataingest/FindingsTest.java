package dev.distillery.dataingest;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

import dev.distillery.dataingest.source.web.WebClient;
import dev.distillery.dataingest.source.web.WebSettings;
import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.singlefile.SingleFile;
import dev.distillery.diffusion.unet.UNetConfig;
import dev.distillery.events.TrainRequest;
import dev.distillery.events.Violation;
import dev.distillery.hub.HubClient;
import dev.distillery.planning.MemoryCheck.DeviceMemory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

class FindingsTest {
    private static final Path EXAMPLES =
            Path.of("../../deploy/examples").toAbsolutePath().normalize();

    private static final Sources SOURCES = Sources.withoutStore(
            new HubClient(HubClient.Settings.of("http://localhost:1", Optional.empty())),
            new WebClient(WebSettings.ofEnvironment()));

    @TempDir
    Path folder;

    @Test
    void shouldFindEverythingOfTheExample() throws IOException {
        // When
        Findings found = Findings.of(request("file://" + EXAMPLES + "/mini-sdxl"), SOURCES, Optional.of(memory(24)));
        // Then
        assertThat(found.violations()).isEmpty();
        assertThat(found.teacher()).isPresent();
        assertThat(found.pairs().orElseThrow().size()).isEqualTo(1911);
    }

    @Test
    void shouldRejectWhatTheTrainersDeviceCannotHold() throws IOException {
        // When
        Findings found = Findings.of(request("file://" + EXAMPLES + "/mini-sdxl"), SOURCES, Optional.of(memory(1)));
        // Then
        assertThat(found.violations()).extracting(Violation::path).containsExactly("train");
    }

    @Test
    void shouldFindATeacherInASingleFileAndWhatItsTrainingNeeds() throws IOException {
        // Given
        Path file = folder.resolve("mini.safetensors");
        Path mini = EXAMPLES.resolve("mini-sdxl");
        try (var single = new SingleFile(mini.resolve("unet"), mini)) {
            single.write(
                    FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE),
                    DType.F16,
                    new SingleFile.About("mini", "", 64, "2026-01-01", false));
        }
        // When
        Findings found = Findings.of(request("file://" + file), SOURCES, Optional.of(memory(24)));
        Findings small = Findings.of(request("file://" + file), SOURCES, Optional.of(memory(1)));
        Findings missing = Findings.of(request("file://" + folder + "/x.safetensors"), SOURCES, Optional.of(memory(1)));
        // Then
        assertThat(found.violations()).isEmpty();
        assertThat(found.teacher().orElseThrow().unet()).isEqualTo(UNetConfig.read(mini.resolve("unet")));
        assertThat(small.violations()).extracting(Violation::path).containsExactly("train");
        assertThat(missing.violations())
                .containsExactly(new Violation(
                        "teacher.model",
                        "file://" + folder + "/x.safetensors",
                        "there is no file://" + folder + "/x.safetensors"));
    }

    @Test
    void shouldNotLookAtAStoreThatIsNotThere() throws IOException {
        // When
        Findings found = Findings.of(request("s3://bucket/teacher"), SOURCES, Optional.of(memory(1)));
        // Then
        assertThat(found.violations()).isEmpty();
        assertThat(found.teacher()).isEmpty();
    }

    private static DeviceMemory memory(long gigabytes) {
        return new DeviceMemory(true, gigabytes * 1_000_000_000);
    }

    private static TrainRequest request(String teacher) {
        return TrainRequest.parse(
                """
                run: r
                teacher: {model: "%s"}
                dataset: {source: "file://%s/noto-emoji"}
                encode: {resolution: 64}
                train: {batch: 64, precision: fp32, gradientCheckpointing: false}
                """
                        .formatted(teacher, EXAMPLES));
    }
}
