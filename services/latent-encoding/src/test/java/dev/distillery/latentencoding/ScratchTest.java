package dev.distillery.latentencoding;

import java.io.IOException;
import java.nio.file.Path;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class ScratchTest {
    @TempDir
    Path folder;

    @Test
    void shouldBlameTheDiskWhenItCannotBeWritten() throws IOException {
        // Given
        Scratch scratch = new Scratch(folder, "mean");
        scratch.append(new float[] {1, 2});
        assertThat(scratch.content().remaining()).isEqualTo(8);

        // When
        scratch.close();

        // Then
        assertThatThrownBy(() -> scratch.append(new float[] {3})).isInstanceOf(LocalDiskException.class);
        assertThatThrownBy(() -> new Scratch(folder.resolve("gone"), "mean")).isInstanceOf(LocalDiskException.class);
    }
}
