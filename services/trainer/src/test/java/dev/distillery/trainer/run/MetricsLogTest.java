package dev.distillery.trainer.run;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

class MetricsLogTest {

    @Test
    void shouldDropWhatIsDoneAgainAndBrokenLinesWhenResumed(@TempDir Path dir) throws Exception {
        // Given a log whose process died after step 3, while writing, with its last checkpoint at step 2
        byte[] before = "{\"step\":1}\n{\"step\":2}\n{\"step\":2,\"eval_output\":1.0}\n{\"step\":3}\n{\"st"
                .getBytes(StandardCharsets.UTF_8);

        // When
        MetricsLog log = MetricsLog.continuing(LocalDiskTest.of(dir.resolve("run")), before, 2);
        log.add(Map.of("step", 3, "loss", 0.5));

        // Then
        assertThat(Files.readAllLines(log.file())).hasSize(4);
        assertThat(Files.readAllLines(log.file()).subList(0, 3))
                .containsExactly("{\"step\":1}", "{\"step\":2}", "{\"step\":2,\"eval_output\":1.0}");
    }
}
