package dev.distillery.converter.card;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;

/**
 * A model's licence, as its card's header says it by the Hub's fields.
 *
 * @param fields those of {@code license}, {@code license_name} and {@code license_link} that are said
 * @see <a href="https://huggingface.co/docs/hub/repositories-licenses">the Hub's licences</a>
 */
record Terms(Map<String, String> fields) {
    private static final Pattern HEADER =
            Pattern.compile("\\A\\uFEFF?---\\s*\\R(.*?)\\R---\\s*(\\R.*)?\\z", Pattern.DOTALL);
    private static final YAMLMapper YAML = new YAMLMapper();

    /**
     * @param card a {@code README.md}; one without a header that can be read says nothing
     * @param beside names of the files that go along, to which a link may point
     * @param origin of the model, where other links point
     */
    static Terms of(String card, List<String> beside, Origin origin) {
        JsonNode header = header(card);
        Map<String, String> fields = new TreeMap<>();
        for (String name : List.of("license", "license_name")) {
            JsonNode value = header.path(name).isArray() ? header.path(name).path(0) : header.path(name);
            if (value.isValueNode() && !value.asText().isBlank()) {
                fields.put(name, value.asText());
            }
        }
        link(header.path("license_link").asText(""), beside, origin)
                .ifPresent(link -> fields.put("license_link", link));
        return new Terms(fields);
    }

    private static Optional<String> link(String link, List<String> beside, Origin origin) {
        if (link.isBlank() || link.matches("https?://\\S+") || beside.contains(link)) {
            return Optional.of(link).filter(text -> !text.isBlank());
        }
        return origin.page().map(page -> page + "/blob/main/" + link);
    }

    private static JsonNode header(String card) {
        Matcher header = HEADER.matcher(card);
        if (!header.matches()) {
            return MissingNode.getInstance();
        }
        try {
            return YAML.readTree(header.group(1));
        } catch (JsonProcessingException e) {
            return MissingNode.getInstance();
        }
    }

    boolean said() {
        return fields.containsKey("license");
    }

    /** @param beside files with the terms themselves */
    String markdown(Origin teacher, List<String> beside) {
        String whose = "The weights of a student carry the licence of its teacher, " + teacher.markdown();
        String which = !said()
                ? ". The teacher came without a card that names it: look it up before you pass these weights on."
                : ": " + Markdown.escape(fields.getOrDefault("license_name", fields.get("license"))) + ".";
        String texts = beside.isEmpty()
                ? ""
                : " Its text is in "
                        + String.join(", ", beside.stream().map(Markdown::code).toList()) + ".";
        return whose + which + texts;
    }
}
