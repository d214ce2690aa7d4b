package dev.distillery.benchmarks;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.benchmarks.StepBenchmark.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class StepBenchmarkTest {
    private static final Variant FP32 = new Variant("fp32", false, "adamw", false, 0, false);

    @Test
    void shouldMeasureOursAloneInAProcessOfItsOwn(@TempDir Path dir) throws Exception {
        // When
        Path json = dir.resolve("result.json");
        int code = new CommandLine(new StepBenchmark())
                .execute(
                        "--case",
                        "mini",
                        "--precision",
                        "fp32",
                        "--recompute",
                        "false",
                        "--rounds",
                        "1",
                        "--steps",
                        "2",
                        "--no-peer",
                        "--example",
                        "../deploy/examples/mini-sdxl",
                        "--json",
                        json.toString());

        // Then
        assertThat(code).isZero();
        JsonNode row = new ObjectMapper().readTree(json.toFile()).at("/rows/0");
        assertThat(row.at("/ours/0/seconds")).hasSize(2);
        assertThat(row.at("/ours/0/losses/0").asDouble()).isPositive();
        assertThat(row.at("/ours/0/estimatedParts/student").asLong()).isEqualTo(4 * 6_966_692L);
        assertThat(row.at("/ours/0/estimatedSeconds").asDouble()).isPositive();
        assertThat(row.at("/peer")).isEmpty();
    }

    @Test
    void shouldGiveMediansAndTheirRatio() {
        var ours = List.of(measured(100, 1.0, 2.0), measured(300, 3.0, 9.0), measured(200, 3.0, 3.0));
        var peer = List.of(measured(400, 4.0, 6.0));
        assertThat(Table.line(new Row("mini", FP32, ours, peer)))
                .isEqualTo(
                        """
                        | mini | fp32 | no | 3.000 | 5.000 | 0.60 | 200 | 400 | 0.50 |
                          estimated: 2.700 s (0.90 of measured), 0.22 GB (1.10): teacher 0.22""");
    }

    @Test
    void shouldCountTheEncodingInTheFirstEpochOnly() {
        var variant = new Variant("fp32", false, "adamw", true, 0, false);
        var row = new Row("mini", variant, List.of(measured(1, 1.0)), List.of(measured(1, 2.0)));
        assertThat(Table.line(row))
                .contains("second on takes 0.50 of the peer's, the first 0.75 (encoding a batch, once: 0.500 s)");
    }

    @Test
    void shouldRefuseToCompareStepsThatComputeSomethingElse() {
        var other =
                new Measurement(List.of(1.0), List.of(0.5, 0.25, 12.1), 1, 0, 2.7, Map.of("teacher", 220_000_000L), "");
        assertThatThrownBy(() ->
                        Sides.ensureSameArithmetic(new Row("mini", FP32, List.of(measured(1, 1.0)), List.of(other))))
                .hasMessageContaining("12.1");
    }

    private static Measurement measured(long megabytes, Double... seconds) {
        return new Measurement(
                List.of(seconds),
                List.of(0.5, 0.25, 12.0),
                megabytes * 1_000_000,
                0.5,
                2.7,
                Map.of("teacher", 220_000_000L),
                "");
    }
}
