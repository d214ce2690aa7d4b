package dev.distillery.trainer.run;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** On a file that is always full. */
@EnabledOnOs(OS.LINUX)
class LocalDiskTest {

    private static final Path FULL = Path.of("/dev/full");

    @TempDir
    Path dir;

    @Test
    void shouldWriteWhenThereIsRoomAgain() {
        // Given
        AtomicInteger attempts = new AtomicInteger();
        Path file = dir.resolve("checkpoint");

        // When
        disk(Duration.ofMinutes(1), Optional.empty())
                .write("checkpoint", () -> Files.writeString(attempts.incrementAndGet() == 1 ? FULL : file, "weights"));

        // Then
        assertThat(attempts).hasValue(2);
        assertThat(file).hasContent("weights");
    }

    @Test
    void shouldSayWhatAndWhereWhenThereIsNoRoomInTime() {
        assertThatThrownBy(() -> disk(Duration.ofMillis(600), Optional.empty())
                        .write("checkpoint of step 5", () -> Files.writeString(FULL, "weights")))
                .isInstanceOf(LocalDiskException.class)
                .hasMessageContaining("The checkpoint of step 5 cannot be written below " + dir)
                .hasMessageContaining("MB free")
                .hasMessageContaining("No space left on device");
    }

    @Test
    void shouldNotWaitWhenTheRunIsToStop() {
        AtomicInteger attempts = new AtomicInteger();
        assertThatThrownBy(() -> disk(Duration.ofDays(1), Optional.of(RunControls.Stop.SHUTDOWN))
                        .write("checkpoint", () -> {
                            attempts.incrementAndGet();
                            Files.writeString(FULL, "weights");
                        }))
                .isInstanceOf(LocalDiskException.class);
        assertThat(attempts).hasValue(1);
    }

    private LocalDisk disk(Duration patience, Optional<RunControls.Stop> stop) {
        return of(dir, patience, stop);
    }

    /** One that does not wait. */
    static LocalDisk of(Path folder) {
        return of(folder, Duration.ZERO, Optional.empty());
    }

    private static LocalDisk of(Path folder, Duration patience, Optional<RunControls.Stop> stop) {
        return new LocalDisk(folder, patience, new RunControls() {
            @Override
            public Optional<Stop> stop() {
                return stop;
            }

            @Override
            public void ensureOurs() {}
        });
    }
}
