package dev.distillery.converter.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

import com.fasterxml.jackson.databind.JsonNode;

/** What a stage wrote about itself, as {@code pairs 1,024 · shards 4}: numbers and short words only. */
final class StageDetails {

    private static final int LONGEST_WORD = 24;

    private StageDetails() {}

    static String inWords(JsonNode detail) {
        List<String> parts = new ArrayList<>();
        for (Map.Entry<String, JsonNode> field : detail.properties()) {
            String name = field.getKey().replaceAll("([a-z])([A-Z])", "$1 $2").toLowerCase(Locale.ROOT);
            JsonNode value = field.getValue();
            if (value.isIntegralNumber()) {
                parts.add(name + " " + Numbers.count(value.asLong()));
            } else if (value.isNumber()) {
                parts.add(name + " " + Numbers.value(value.asDouble()));
            } else if (value.isTextual() && value.asText().length() <= LONGEST_WORD) {
                parts.add(name + " " + value.asText());
            }
        }
        return String.join(" · ", parts);
    }
}
