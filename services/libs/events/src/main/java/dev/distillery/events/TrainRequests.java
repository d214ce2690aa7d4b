package dev.distillery.events;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;

/** Lays a user's request over the defaults and finds everything that is wrong with it. */
final class TrainRequests {
    /** A request is a page of text: what is larger is a mistake or an attack. */
    private static final int MAX_CHARS = 1 << 20;

    private static final YAMLMapper YAML = YAMLMapper.builder(YAMLFactory.builder() // JSON is YAML
                    .streamReadConstraints(
                            StreamReadConstraints.builder().maxNestingDepth(20).build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .build();
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
        JsonNode given = read(text);
        ObjectNode complete = DEFAULTS.deepCopy();
        alternatives(complete, given);
        return parse(given, complete, TrainRequestRules::check, TrainRequest.class);
    }

    /** A request to evaluate a run's student has the same settings as that part of a train request. */
    static EvaluateRequest parseEvaluate(String text) {
        ObjectNode complete = DEFAULTS.objectNode();
        complete.putNull("run")
                .put("name", EvaluateRequest.DEFAULT_NAME)
                .set("evaluate", DEFAULTS.get("evaluate").deepCopy());
        return parse(read(text), complete, TrainRequestRules::checkEvaluate, EvaluateRequest.class);
    }

    private static JsonNode read(String text) {
        if (text.length() > MAX_CHARS) {
            throw invalid("", text.length() + " characters", "must be at most " + MAX_CHARS + " characters");
        }
        JsonNode given;
        try {
            given = YAML.readTree(text);
        } catch (JsonProcessingException e) {
            JsonLocation at = e.getLocation();
            String where = at == null ? "" : "line " + at.getLineNr() + ", column " + at.getColumnNr();
            throw invalid("", where, "must be YAML or JSON: " + firstLine(e.getOriginalMessage()));
        }
        if (given == null || !given.isObject()) {
            throw invalid("", String.valueOf(given), "must be an object");
        }
        return given;
    }

    private static <R extends Event> R parse(
            JsonNode given, ObjectNode complete, Function<JsonNode, List<Violation>> rules, Class<R> type) {
        List<Violation> violations = new ArrayList<>();
        String kind = type == TrainRequest.class ? "a train request" : "an evaluate request";
        merge(kind, "", complete, given, violations);
        violations.addAll(rules.apply(complete));
        if (!violations.isEmpty()) {
            throw new InvalidRequestException(violations);
        }
        try {
            return EventJson.MAPPER.treeToValue(complete, type);
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
        if (given.at("/train").hasNonNull("steps")) {
            ((ObjectNode) complete.get("train")).putNull("epochs");
        }
        if (given.at("/train/checkpoint").hasNonNull("everySteps")) {
            ((ObjectNode) complete.at("/train/checkpoint")).putNull("everyEpochs");
        }
        if (TrainRequestRules.UNTAUGHT.contains(given.at("/objective").asText())) { // of a whole model, as it is
            ((ObjectNode) complete.get("student")).put("layout", "teacher");
        }
    }

    private static void merge(String kind, String prefix, ObjectNode into, JsonNode given, List<Violation> violations) {
        for (Map.Entry<String, JsonNode> field : given.properties()) {
            String path = prefix + field.getKey();
            JsonNode there = into.get(field.getKey());
            JsonNode value = field.getValue();
            if (there == null) {
                List<String> fields =
                        into.properties().stream().map(Map.Entry::getKey).toList();
                violations.add(new Violation(
                        path,
                        value.toString(),
                        "is not a field of " + kind + Spelling.didYouMean(field.getKey(), fields) + "; there are "
                                + String.join(", ", fields)));
            } else if (there instanceof ObjectNode inner) {
                if (value.isObject()) {
                    merge(kind, path + ".", inner, value, violations);
                } else {
                    violations.add(new Violation(path, value.toString(), "must be an object"));
                }
            } else {
                into.set(field.getKey(), value);
            }
        }
    }

    private static String firstLine(String message) {
        return message == null ? "" : message.lines().findFirst().orElse("");
    }

    private static InvalidRequestException invalid(String path, String value, String message) {
        return new InvalidRequestException(List.of(new Violation(path, value, message)));
    }
}
