package dev.distillery.dataingest.source;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class AllowedFoldersTest {
    @TempDir
    Path dir;

    private AllowedFolders folders;

    @BeforeEach
    void makeFolders() throws IOException {
        dir = dir.toRealPath();
        Files.writeString(Files.createDirectories(dir.resolve("allowed/data")).resolve("a.txt"), "a");
        Files.writeString(Files.createDirectories(dir.resolve("cache")).resolve("b.txt"), "b");
        Files.writeString(Files.createDirectories(dir.resolve("secret")).resolve("c.txt"), "c");
        folders = AllowedFolders.of(List.of(dir.resolve("allowed"), dir.resolve("cache")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"secret", "allowed/../secret", "allowed/data/../../secret", "nothing", "allowedtoo", ""})
    void shouldRefuseOtherFoldersInTheSameWords(String folder) {
        // When / Then
        assertThatThrownBy(() -> folders.open("dataset.source", "file://" + dir + "/" + folder))
                .isInstanceOf(SourceException.class)
                .hasMessageContaining("may not be read")
                .hasMessageContaining("distillery.sources.folders");
    }

    @Test
    void shouldFollowLinksIntoAllowedFoldersOnly() throws IOException {
        // Given
        Path data = dir.resolve("allowed/data");
        Files.createSymbolicLink(data.resolve("b.txt"), dir.resolve("cache/b.txt"));
        Files.createSymbolicLink(data.resolve("c.txt"), dir.resolve("secret/c.txt"));
        Files.createSymbolicLink(data.resolve("all"), dir);
        Files.createSymbolicLink(dir.resolve("allowed/out"), dir.resolve("secret"));

        // When
        LocalTree tree = folders.open("dataset.source", "file://" + data);

        // Then
        assertThat(tree.files()).extracting(FileTree.Entry::name).containsExactly("a.txt", "b.txt");
        assertThat(tree.has("c.txt")).isFalse();
        assertThat(tree.has("all/secret/c.txt")).isFalse();
        assertThatThrownBy(() -> tree.open("c.txt")).hasMessageContaining("lies outside");
        assertThatThrownBy(() -> folders.open("dataset.source", "file://" + dir + "/allowed/out"))
                .hasMessageContaining("may not be read");
    }

    @Test
    void shouldReadNothingWhenNoFolderIsAllowed() {
        // Given
        AllowedFolders none = AllowedFolders.of(List.of());

        // When / Then
        assertThatThrownBy(() -> none.open("teacher.model", "file://" + dir + "/allowed"))
                .hasMessageContaining("reads no folder of its own machine");
    }
}
