package dev.distillery.converter.report;

import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.diffusion.distill.NetworkSizes;
import dev.distillery.diffusion.unet.UNetConfig;

/**
 * Everything of a run that its page shows, as read from the store.
 *
 * @param request with every default filled in
 * @param stages {@code stages/<stage>.json} by the stage's name, in the order in which they began
 * @param metrics the lines of {@code metrics.jsonl}
 * @param dataset the {@code about} of the data set's manifest
 * @param teacher prefix of the teacher
 * @param teacherConfig its {@code unet/config.json}
 * @param studentConfig the student's
 * @param pixelsPerLatent sides of an image in those of its latents
 * @param samples PNGs by folder ({@code teacher}, {@code epoch-0001}) and by the prompt's index
 * @param weightsBytes size of the converted weights
 * @param scores of all evaluations, by name
 */
public record RunRecord(
        String run,
        JsonNode request,
        Map<String, JsonNode> stages,
        List<JsonNode> metrics,
        Optional<JsonNode> dataset,
        String teacher,
        ObjectNode teacherConfig,
        ObjectNode studentConfig,
        int pixelsPerLatent,
        NavigableMap<String, NavigableMap<Integer, byte[]>> samples,
        long weightsBytes,
        List<Scores> scores) {

    /** A field of the steps' lines over the steps. */
    public Series series(String field) {
        List<JsonNode> lines = metrics.stream().filter(line -> line.has(field)).toList();
        return new Series(
                field,
                lines.stream().mapToDouble(line -> line.path("step").asDouble()).toArray(),
                lines.stream().mapToDouble(line -> line.path(field).asDouble()).toArray());
    }

    /** The same with no metrics of later steps. */
    public RunRecord upTo(long step) {
        return new RunRecord(
                run,
                request,
                stages,
                metrics.stream()
                        .filter(line -> line.path("step").asLong() <= step)
                        .toList(),
                dataset,
                teacher,
                teacherConfig,
                studentConfig,
                pixelsPerLatent,
                samples,
                weightsBytes,
                scores);
    }

    /** Of both networks, at the resolution that they were trained for. */
    public List<SizeRow> sizes() {
        return SizeRow.of(sizesOf(teacherConfig), sizesOf(studentConfig), latency());
    }

    /** Of a network of this run, at the resolution that the student was trained for. */
    NetworkSizes sizesOf(ObjectNode config) {
        return NetworkSizes.of(
                UNetConfig.of(config), request.at("/encode/resolution").asInt(), pixelsPerLatent);
    }

    /** Of a pass, as the trainer measured it; missing where it did not. */
    JsonNode latency() {
        return train().at("/detail/latency");
    }

    /** What the trainer wrote of itself; missing if it did not. */
    JsonNode train() {
        return stages.getOrDefault("train", MissingNode.getInstance());
    }

    /** Whether a LoRA of the text encoders was trained beside the U-Net's. */
    public boolean trainsTextEncoders() {
        return request.path("lora").path("textEncoderLearningRate").isNumber();
    }

    /** What a subject was learnt by. */
    public Optional<String> subjectPrompt() {
        return Optional.ofNullable(request.path("subject").path("prompt").textValue());
    }

    /** Where the pictures come from. */
    public String source() {
        return subjectPrompt().isPresent() ? text("subject", "images") : text("dataset", "source");
    }

    /** Whether a teacher taught; runs from before there was anything else do not say so. */
    public boolean distils() {
        return request.path("objective").asText("distill").equals("distill");
    }

    /** A text of the request, such as {@code text("student", "layout")}. */
    public String text(String... path) {
        JsonNode node = request;
        for (String name : path) {
            node = node.path(name);
        }
        return node.asText("");
    }

    /** The prompts that samples were drawn for. */
    public List<String> prompts() {
        return Stream.of(request.path("samples").path("prompts"))
                .flatMap(prompts -> {
                    Stream.Builder<String> texts = Stream.builder();
                    prompts.forEach(prompt -> texts.add(prompt.asText()));
                    return texts.build();
                })
                .toList();
    }
}
