package dev.distillery.benchmarks;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;

import org.junit.jupiter.api.Test;
import picocli.CommandLine;

import static org.assertj.core.api.Assertions.assertThat;

class DataBenchmarkTest {

    @Test
    void shouldMeasureBothStagesInProcessesOfTheirOwn() {
        // Given
        PrintStream before = System.out;
        var said = new ByteArrayOutputStream();
        System.setOut(new PrintStream(said, true));
        int code;

        // When
        try {
            code = new CommandLine(new DataBenchmark())
                    .execute(
                            "--rounds",
                            "1",
                            "--limit",
                            "6",
                            "--resolution",
                            "64",
                            "--no-peer",
                            "--data",
                            "../deploy/examples/noto-emoji",
                            "--teacher",
                            "../deploy/examples/mini-sdxl");
        } finally {
            System.setOut(before);
        }

        // Then
        assertThat(code).isZero();
        assertThat(said.toString())
                .containsPattern("\\| ingest \\| 64 \\| [1-9]\\d*\\.\\d \\|")
                .containsPattern("\\| encode \\| 64 \\| [1-9]\\d*\\.\\d \\|");
    }

    @Test
    void shouldSayWhichStagesThereAreWhenThereIsNoSuch() {
        var errors = new java.io.StringWriter();
        int code = new CommandLine(new DataBenchmark())
                .setErr(new java.io.PrintWriter(errors))
                .execute("--stage", "train", "--no-peer", "--data", "nowhere");
        assertThat(code).isNotZero();
        assertThat(errors.toString()).contains("--stage must be of ingest, encode but was train");
    }
}
