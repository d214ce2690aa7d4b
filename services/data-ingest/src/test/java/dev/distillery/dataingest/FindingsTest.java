package dev.distillery.dataingest;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

import dev.distillery.dataingest.source.hub.HubClient;
import dev.distillery.events.TrainRequest;
import dev.distillery.events.Violation;
import dev.distillery.planning.MemoryCheck.DeviceMemory;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class FindingsTest {
    private static final Path EXAMPLES =
            Path.of("../../deploy/examples").toAbsolutePath().normalize();

    private static final Sources SOURCES =
            Sources.withoutStore(new HubClient(HubClient.Settings.of("http://localhost:1", Optional.empty())));

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
