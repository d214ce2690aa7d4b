package dev.distillery.standalone.console;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

import dev.distillery.dataingest.Sources;
import dev.distillery.dataingest.source.web.WebClient;
import dev.distillery.dataingest.source.web.WebSettings;
import dev.distillery.events.TrainRequest;
import dev.distillery.hub.HubClient;
import dev.distillery.planning.MemoryCheck.DeviceMemory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

class RequestFileTest {
    private static final Sources SOURCES = Sources.withoutStore(
            new HubClient(HubClient.Settings.of("http://localhost:1", Optional.empty())),
            new WebClient(WebSettings.ofEnvironment()));
    private static final DeviceMemory DEVICE = new DeviceMemory(false, 8_000_000_000L);

    @TempDir
    Path dir;

    @ParameterizedTest
    @ValueSource(strings = {"file:./my images", "./my images", "my images", "file:my images", "file://DIR/my images"})
    void shouldMakePathsAbsoluteWhenTheyAreRelativeToTheRequest(String source) throws IOException {
        // Given
        Path images = Files.createDirectory(dir.resolve("my images"));
        Files.writeString(images.resolve("metadata.jsonl"), "{\"file_name\": \"a.png\", \"text\": \"a\"}\n");
        Path request = Files.writeString(
                dir.resolve("request.yaml"),
                """
                run: r
                teacher: {model: "s3://bucket/teacher"}
                dataset: {source: "%s", image: file_name}
                """
                        .formatted(source.replace("DIR", dir.toString())));

        // When
        TrainRequest read = RequestFile.read(request, SOURCES, DEVICE).request();

        // Then
        assertThat(read.dataset().source()).isEqualTo("file://" + dir.resolve("my images"));
        assertThat(read.teacher().model()).isEqualTo("s3://bucket/teacher");
    }

    @Test
    void shouldReadTheExampleThatIsShipped() {
        // When
        TrainRequest request = RequestFile.read(Path.of("../../deploy/examples/request.yaml"), SOURCES, DEVICE)
                .request();

        // Then
        assertThat(request.run()).isEqualTo("noto-emoji-small");
        assertThat(Path.of(request.dataset().source().substring("file://".length())))
                .isDirectory();
    }
}
