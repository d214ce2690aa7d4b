package dev.distillery.converter.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * In which fields requests differ, and what they share: a comparison is worth what its runs have in common.
 *
 * @param fields paths such as {@code train.loss.output}, in the order of a request
 * @param shared the other fields
 */
record Difference(List<String> fields, ObjectNode shared) {

    /** Runs differ in their names, which says nothing. */
    static Difference of(List<RunRecord> runs) {
        List<Map<String, JsonNode>> all =
                runs.stream().map(run -> leaves(run.request())).toList();
        Set<String> names = new LinkedHashSet<>();
        all.forEach(leaves -> names.addAll(leaves.keySet()));
        names.remove("run");
        List<String> differing = new ArrayList<>();
        for (String name : names) {
            JsonNode first = all.get(0).get(name);
            if (all.stream().anyMatch(leaves -> !Objects.equals(first, leaves.get(name)))) {
                differing.add(name);
            }
        }
        ObjectNode shared = runs.get(0).request().deepCopy();
        shared.remove("run");
        differing.forEach(name -> remove(shared, name));
        return new Difference(differing, shared);
    }

    /** A field of a request in words; empty where it has none. */
    static String text(RunRecord run, String field) {
        JsonNode value = run.request().at("/" + field.replace('.', '/'));
        return value.isMissingNode() || value.isNull() ? "" : value.isValueNode() ? value.asText() : value.toString();
    }

    private static Map<String, JsonNode> leaves(JsonNode request) {
        Map<String, JsonNode> leaves = new LinkedHashMap<>();
        addLeaves(leaves, "", request);
        return leaves;
    }

    private static void addLeaves(Map<String, JsonNode> leaves, String name, JsonNode node) {
        if (!node.isObject() || node.isEmpty()) {
            leaves.put(name, node);
            return;
        }
        node.properties()
                .forEach(field -> addLeaves(
                        leaves, name.isEmpty() ? field.getKey() : name + "." + field.getKey(), field.getValue()));
    }

    /** With what is empty without it. */
    private static void remove(ObjectNode from, String name) {
        int dot = name.indexOf('.');
        if (dot < 0) {
            from.remove(name);
        } else if (from.get(name.substring(0, dot)) instanceof ObjectNode inner) {
            remove(inner, name.substring(dot + 1));
            if (inner.isEmpty()) {
                from.remove(name.substring(0, dot));
            }
        }
    }
}
