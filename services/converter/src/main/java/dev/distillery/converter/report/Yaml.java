package dev.distillery.converter.report;

import java.io.UncheckedIOException;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;

/** Requests as their authors write them. */
public final class Yaml {

    private static final YAMLMapper MAPPER = new YAMLMapper(new YAMLFactory()
            .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
            .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES));

    private Yaml() {}

    public static String of(JsonNode node) {
        try {
            return MAPPER.writeValueAsString(node).strip();
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }
}
