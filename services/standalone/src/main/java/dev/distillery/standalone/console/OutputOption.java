package dev.distillery.standalone.console;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import picocli.CommandLine.Option;

/** {@code -o table|json|yaml}: how a command tells what it found. */
public final class OutputOption {
    private static final String FOR_PEOPLE = "table";
    /** What {@code table} was called when no command had one. */
    private static final String TEXT = "text";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final ObjectMapper YAML =
            YAMLMapper.builder().enable(YAMLGenerator.Feature.MINIMIZE_QUOTES).build();

    @Option(
            names = {"-o", "--output"},
            paramLabel = "table|json|yaml",
            defaultValue = FOR_PEOPLE,
            description =
                    "table is for people; json and yaml have the same names for programs. Default: ${DEFAULT-VALUE}.")
    private String format;

    /** To be called before work begins. */
    public void check() {
        Arguments.oneOf("--output", format.equals(TEXT) ? FOR_PEOPLE : format, FOR_PEOPLE, "json", "yaml");
    }

    public boolean forPeople() {
        return format.equals(FOR_PEOPLE) || format.equals(TEXT);
    }

    public boolean isJson() {
        return format.equals("json");
    }

    public String of(Object found, String text) throws JsonProcessingException {
        return forPeople() ? text : document(found, true);
    }

    /** One of several that follow one another: a line of JSON, or a YAML document. */
    public String next(Object found) throws JsonProcessingException {
        return document(found, false);
    }

    private String document(Object found, boolean pretty) throws JsonProcessingException {
        if (format.equals("yaml")) {
            return YAML.writeValueAsString(found).stripTrailing();
        }
        return pretty
                ? JSON.writerWithDefaultPrettyPrinter().writeValueAsString(found)
                : JSON.writeValueAsString(found);
    }
}
