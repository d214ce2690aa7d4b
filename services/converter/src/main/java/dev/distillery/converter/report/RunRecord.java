package dev.distillery.converter.report;

import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * Everything of a run that its page shows, as read from the store.
 *
 * @param request with every default filled in
 * @param stages {@code stages/<stage>.json} by the stage's name, in the order in which they began
 * @param metrics the lines of {@code metrics.jsonl}
 * @param dataset the {@code about} of the data set's manifest
 * @param teacherConfig the teacher's {@code unet/config.json}
 * @param studentConfig the student's
 * @param samples PNGs by folder ({@code teacher}, {@code epoch-0001}) and by the prompt's index
 * @param weightsBytes size of the converted weights
 */
record RunRecord(
        String run,
        JsonNode request,
        Map<String, JsonNode> stages,
        List<JsonNode> metrics,
        Optional<JsonNode> dataset,
        ObjectNode teacherConfig,
        ObjectNode studentConfig,
        NavigableMap<String, NavigableMap<Integer, byte[]>> samples,
        long weightsBytes) {

    /** A field of the steps' lines over the steps. */
    Series series(String field) {
        List<JsonNode> lines = metrics.stream().filter(line -> line.has(field)).toList();
        return new Series(
                field,
                lines.stream().mapToDouble(line -> line.path("step").asDouble()).toArray(),
                lines.stream().mapToDouble(line -> line.path(field).asDouble()).toArray());
    }

    /** A text of the request, such as {@code text("student", "layout")}. */
    String text(String... path) {
        JsonNode node = request;
        for (String name : path) {
            node = node.path(name);
        }
        return node.asText("");
    }

    /** The prompts that samples were drawn for. */
    List<String> prompts() {
        return Stream.of(request.path("samples").path("prompts"))
                .flatMap(prompts -> {
                    Stream.Builder<String> texts = Stream.builder();
                    prompts.forEach(prompt -> texts.add(prompt.asText()));
                    return texts.build();
                })
                .toList();
    }
}
