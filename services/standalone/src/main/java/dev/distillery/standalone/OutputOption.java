package dev.distillery.standalone;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import picocli.CommandLine.Option;

/** {@code -o text|json}: how a command tells what it found. */
final class OutputOption {
    @Option(
            names = {"-o", "--output"},
            paramLabel = "text|json",
            defaultValue = "text",
            description = "Default: ${DEFAULT-VALUE}.")
    private String format;

    /** To be called before work begins. */
    void check() {
        Arguments.oneOf("--output", format, "text", "json");
    }

    String of(Object found, String text) throws JsonProcessingException {
        return format.equals("json")
                ? new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(found)
                : text;
    }
}
