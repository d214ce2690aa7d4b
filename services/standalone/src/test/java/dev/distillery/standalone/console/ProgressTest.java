package dev.distillery.standalone.console;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

import dev.distillery.events.DatasetIngested;
import dev.distillery.events.RunEvent;
import dev.distillery.events.StageProgress;
import dev.distillery.events.TrainingProgress;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class ProgressTest {
    private final StringWriter written = new StringWriter();
    private final AtomicLong seconds = new AtomicLong();

    @Test
    void shouldShowBarRateTimeLeftLossesAndMemoryWhenTraining() {
        // Given
        Progress progress = progress(false);
        seconds.set(65);

        // When
        progress.show(training(250));

        // Then
        assertThat(written)
                .hasToString("  1:05  train    [##########----------] 250/500 steps  2.40/s  1:44 left"
                        + "  loss 3.020 = task 0.090 + output 0.0300 + feature 2.900  1.90 GB\n");
    }

    @Test
    void shouldWriteOverTheLineWhenLive() {
        // Given
        Progress progress = progress(true);

        // When
        progress.show(training(1));
        progress.show(training(2));

        // Then
        assertThat(written.toString()).doesNotContain("\n").contains("\r\033[K", "1/500", "2/500");
    }

    @Test
    void shouldKeepWithinTheWidthWhenLive() {
        // Given
        Progress progress = progress(true);

        // When
        progress.show(training(1));

        // Then
        assertThat(written.toString().replace("\r\033[K", "")).hasSizeLessThan(100);
    }

    @Test
    void shouldWriteOneLineInFiveSecondsWhenNotLive() {
        // Given
        Progress progress = progress(false);

        // When
        for (int second = 0; second <= 10; second++) {
            seconds.set(second);
            progress.show(training(second));
        }

        // Then
        assertThat(written.toString().lines()).hasSize(3);
    }

    @Test
    void shouldShowANewStageAtOnceWhenNotLive() {
        // Given
        Progress progress = progress(false);

        // When
        List.of(stage("ingest"), stage("encode")).forEach(progress::show);

        // Then
        assertThat(written.toString()).contains("ingest", "encode");
    }

    @Test
    void shouldSayWhatWasSkippedWhenADatasetIsIngested() {
        // Given
        Progress progress = progress(false);

        // When
        progress.show(new DatasetIngested("run", "fingerprint", 1900, 11, 8, 3.4));

        // Then
        assertThat(written.toString()).contains("1900 pairs in 8 shards, 11 skipped", "0:03");
    }

    @Test
    void shouldShowHoursWhenThereAreSome() {
        assertThat(Progress.time(3 * 3600 + 62)).isEqualTo("3:01:02");
    }

    private Progress progress(boolean live) {
        return new Progress(new Terminal(new PrintWriter(written), live, 100), () -> seconds.get() * 1_000_000_000L);
    }

    private static RunEvent stage(String stage) {
        return new StageProgress("run", stage, 1, 10, "images", 12, null);
    }

    private static RunEvent training(int step) {
        var losses = new TrainingProgress.Losses(0.09, 0.03, 2.9, 3.02);
        return new TrainingProgress("run", step, 500, 1, 5, losses, 2.4, 104, 1_900_000_000L);
    }
}
