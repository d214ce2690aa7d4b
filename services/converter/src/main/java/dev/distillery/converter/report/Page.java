package dev.distillery.converter.report;

import java.util.List;
import java.util.Map;

/**
 * What the template shows, in the words and drawings in which it shows it.
 *
 * @param what was done with the teacher
 * @param tiles the figures to see first
 * @param network the picture of the two networks, SVG
 * @param samples a row per prompt; no row when the run drew no samples
 * @param skipped number of images by reason
 * @param request YAML
 */
record Page(
        String run,
        String teacher,
        String what,
        String dataset,
        List<Tile> tiles,
        String teacherParameters,
        String studentParameters,
        String saving,
        String network,
        List<SizeRow> sizes,
        String sizesNote,
        List<Chart> charts,
        List<Image> sampleColumns,
        List<SampleRow> samples,
        String samplesNote,
        List<Evaluation> evaluations,
        List<StageRow> stages,
        String data,
        Map<String, Long> skipped,
        String weights,
        String howToLoad,
        String request,
        String footer) {

    public String title() {
        return run;
    }

    /** @param grid a data URI, or null */
    record Evaluation(String name, String settings, List<Scores.Row> rows, String grid) {}

    record Tile(String value, String text) {}

    record Chart(String title, String svg, String note) {}

    record SampleRow(String prompt, List<Image> images) {}

    /** @param data a data URI, or null where no such image was drawn */
    record Image(String title, String cssClass, String data) {}

    /** @param share of the longest stage, in percent */
    record StageRow(String name, String duration, long share, String detail) {}
}
