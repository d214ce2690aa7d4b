package dev.distillery.events;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;

/** Lays a user's request over the defaults and finds everything that is wrong with it. */
final class TrainRequests {
    private static final YAMLMapper YAML = new YAMLMapper(); // JSON is YAML
    private static final ObjectNode DEFAULTS = defaults();

    private TrainRequests() {}

    private static ObjectNode defaults() {
        try (InputStream in = TrainRequests.class.getResourceAsStream("train-request-defaults.yaml")) {
            return (ObjectNode) YAML.readTree(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static TrainRequest parse(String text) {
        JsonNode given;
        try {
            given = YAML.readTree(text);
        } catch (JsonProcessingException e) {
            throw invalid("", "unreadable", "must be YAML or JSON: " + e.getOriginalMessage());
        }
        if (!given.isObject()) {
            throw invalid("", String.valueOf(given), "must be an object");
        }
        List<Violation> violations = new ArrayList<>();
        ObjectNode complete = DEFAULTS.deepCopy();
        alternatives(complete, given);
        merge("", complete, given, violations);
        if (violations.isEmpty()) {
            violations.addAll(TrainRequestRules.check(complete));
        }
        if (!violations.isEmpty()) {
            throw new InvalidRequestException(violations);
        }
        try {
            return EventJson.MAPPER.treeToValue(complete, TrainRequest.class);
        } catch (JsonMappingException e) {
            String path = e.getPath().stream()
                    .map(JsonMappingException.Reference::getFieldName)
                    .collect(Collectors.joining("."));
            throw invalid(
                    path, complete.at("/" + path.replace('.', '/')).toString(), "must be " + e.getOriginalMessage());
        } catch (JsonProcessingException e) {
            throw invalid("", "", e.getOriginalMessage());
        }
    }

    /** A default gives way to its alternative. */
    private static void alternatives(ObjectNode complete, JsonNode given) {
        if (given.at("/train/steps").isNumber()) {
            ((ObjectNode) complete.get("train")).putNull("epochs");
        }
        if (given.at("/train/checkpoint/everySteps").isNumber()) {
            ((ObjectNode) complete.at("/train/checkpoint")).putNull("everyEpochs");
        }
    }

    private static void merge(String prefix, ObjectNode into, JsonNode given, List<Violation> violations) {
        for (Map.Entry<String, JsonNode> field : given.properties()) {
            String path = prefix + field.getKey();
            JsonNode there = into.get(field.getKey());
            JsonNode value = field.getValue();
            if (there == null) {
                String allowed =
                        into.properties().stream().map(Map.Entry::getKey).collect(Collectors.joining(", "));
                violations.add(new Violation(
                        path, value.toString(), "is not a field of a train request; there are " + allowed));
            } else if (there instanceof ObjectNode inner) {
                if (value.isObject()) {
                    merge(path + ".", inner, value, violations);
                } else {
                    violations.add(new Violation(path, value.toString(), "must be an object"));
                }
            } else {
                into.set(field.getKey(), value);
            }
        }
    }

    private static InvalidRequestException invalid(String path, String value, String message) {
        return new InvalidRequestException(List.of(new Violation(path, value, message)));
    }
}
