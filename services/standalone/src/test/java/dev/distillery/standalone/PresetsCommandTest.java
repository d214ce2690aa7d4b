package dev.distillery.standalone;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.events.TrainRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

import static org.assertj.core.api.Assertions.assertThat;

class PresetsCommandTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void shouldHaveEveryFileOfTheFolder() throws IOException {
        // Given
        try (Stream<Path> files = Files.list(Path.of("../../deploy/examples/presets"))) {
            List<String> names = files.map(file -> file.getFileName().toString().replace(".yaml", ""))
                    .toList();

            // Then
            assertThat(names).containsExactlyInAnyOrderElementsOf(Presets.NAMES);
        }
    }

    static List<String> names() {
        return Presets.NAMES;
    }

    @ParameterizedTest
    @MethodSource("names")
    void shouldPrintARequestThatCanBeSubmittedAndSaysWhereItsNumbersAreFrom(String name) {
        // When
        int code = execute("presets", name);

        // Then
        assertThat(code).isZero();
        assertThat(out.toString()).startsWith("# ").contains("# Numbers: ");
        assertThat(TrainRequest.parse(out.toString()).run()).isEqualTo(name);
    }

    @Test
    void shouldListThem() throws IOException {
        // When
        int code = execute("presets", "-o", "json");

        // Then
        assertThat(code).isZero();
        JsonNode all = new ObjectMapper().readTree(out.toString());
        assertThat(all).hasSize(Presets.NAMES.size());
        assertThat(all.at("/3/layout").asText()).isEqualTo("koala-700m");
        assertThat(all.at("/3/teacher").asText()).isEqualTo("hf://stabilityai/stable-diffusion-xl-base-1.0");
    }

    @Test
    void shouldNameThoseThatThereAreWhenOneIsNot() {
        // When
        int code = execute("presets", "sdxl-nano");

        // Then
        assertThat(code).isEqualTo(2);
        assertThat(err.toString()).contains("'sdxl-nano'", "bk-sdm-tiny");
    }

    @Test
    void shouldWriteACompletionThatKnowsTheCommands() {
        // When
        int code = execute("generate-completion");

        // Then
        assertThat(code).isZero();
        assertThat(out.toString()).contains("complete -F", "dead-letters", "--topics-prefix");
    }

    private int execute(String... arguments) {
        CommandLine commandLine = Main.commandLine();
        commandLine.setOut(new PrintWriter(out, true));
        commandLine.setErr(new PrintWriter(err, true));
        return commandLine.execute(arguments);
    }
}
