package dev.distillery.standalone;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

import dev.distillery.events.TrainRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

class RequestFileTest {
    @TempDir
    Path dir;

    @ParameterizedTest
    @ValueSource(strings = {"file:./my images", "./my images", "my images", "file:my images", "file://DIR/my images"})
    void shouldMakePathsAbsoluteWhenTheyAreRelativeToTheRequest(String source) throws IOException {
        // Given
        Files.createDirectory(dir.resolve("my images"));
        Path request = Files.writeString(
                dir.resolve("request.yaml"),
                """
                run: r
                teacher: {model: "s3://bucket/teacher"}
                dataset: {source: "%s"}
                """
                        .formatted(source.replace("DIR", dir.toString())));

        // When
        TrainRequest read = RequestFile.read(request);

        // Then
        assertThat(read.dataset().source()).isEqualTo("file://" + dir.resolve("my images"));
        assertThat(read.teacher().model()).isEqualTo("s3://bucket/teacher");
    }

    @Test
    void shouldReadTheExampleThatIsShipped() {
        // When
        TrainRequest request = RequestFile.read(Path.of("../../deploy/examples/request.yaml"));

        // Then
        assertThat(request.run()).isEqualTo("noto-emoji-small");
        assertThat(Path.of(request.dataset().source().substring("file://".length())))
                .isDirectory();
    }
}
