package dev.distillery.artifacts;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class FolderWriterTest {
    @TempDir
    Path dir;

    @Test
    void shouldShowTheFolderOnlyWhenItIsComplete() {
        // Given one that is killed half-way
        Path folder = dir.resolve("model");
        FolderWriter.of(folder).add("unet/left-over", new byte[] {1});
        FolderWriter writer = FolderWriter.of(folder);
        writer.add("unet/config.json", "{}".getBytes());
        assertThat(folder).doesNotExist();

        // When
        Manifest manifest = writer.complete("model", Map.of("step", 3));

        // Then
        assertThat(manifest.files())
                .containsExactly(new Manifest.FileEntry(
                        "unet/config.json", 2, "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"));
        assertThat(Manifests.find(folder)).contains(manifest);
        assertThat(Folders.files(dir))
                .containsExactly(folder.resolve("manifest.json"), folder.resolve("unet/config.json"));
    }

    @Test
    void shouldNotReplaceAFolderToWhichSomethingWasAdded() throws IOException {
        // Given
        Path folder = dir.resolve("model");
        FolderWriter first = FolderWriter.of(folder);
        first.add("a", new byte[] {1});
        first.complete("model", Map.of());
        FolderWriter second = FolderWriter.of(folder);
        second.add("a", new byte[] {2});
        Files.writeString(folder.resolve("notes.txt"), "mine");

        // When
        assertThatThrownBy(() -> second.complete("model", Map.of()))
                // Then
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("notes.txt");
        assertThat(folder.resolve("notes.txt")).hasContent("mine");
        assertThat(folder.resolve("a")).hasBinaryContent(new byte[] {1});
    }
}
