package dev.distillery.converter.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * The scores of one evaluation in words and figures.
 *
 * @param settings of what the figures depend on most
 * @param grid PNG of pictures side by side; empty if there is none
 */
public record Scores(String name, String settings, List<Row> rows, Optional<byte[]> grid) {

    private static final int MOST_PIXELS_ACROSS = 1024; // of three pictures

    /** Empty where there is no such score. */
    public record Row(String score, String student, String teacher, String data) {}

    /** @param report {@code evaluation/<name>.json} */
    static Scores of(String name, JsonNode report, Optional<byte[]> grid) {
        JsonNode protocol = report.path("protocol");
        String settings = String.join(
                ", ",
                Numbers.count(protocol.path("images").asLong()) + " held-out pairs",
                protocol.path("size").asText() + " px",
                protocol.path("scheduler").asText(),
                protocol.path("steps").asText() + " steps",
                "guidance " + protocol.path("guidance").asText(),
                "seed " + protocol.path("seed").asText());
        List<Row> rows = new ArrayList<>();
        match(rows, report, "outputError", "Output error, against the teacher's");
        match(rows, report, "featureError", "Feature error, against the teacher's");
        match(rows, report, "latentDistance", "Fréchet distance of pictures from the teacher's, in latents");
        pictures(rows, report, "clip", "CLIP score");
        pictures(rows, report, "fid", "FID");
        pictures(rows, report, "is", "Inception Score");
        return new Scores(name, settings, rows, grid);
    }

    private static void match(List<Row> rows, JsonNode report, String field, String score) {
        JsonNode value = report.path("match").path(field);
        if (value.isNumber()) {
            rows.add(new Row(score, Numbers.value(value.asDouble()), "", ""));
        }
    }

    private static void pictures(List<Row> rows, JsonNode report, String field, String score) {
        if (report.path("student").has(field)) {
            rows.add(new Row(
                    score, of(report, "student", field), of(report, "teacher", field), of(report, "real", field)));
        }
    }

    private static String of(JsonNode report, String pictures, String field) {
        JsonNode value = report.path(pictures).path(field);
        return value.isNumber() ? Numbers.value(value.asDouble()) : "";
    }

    String gridData() {
        return grid.map(png -> SampleImages.dataUri(png, MOST_PIXELS_ACROSS)).orElse(null);
    }
}
