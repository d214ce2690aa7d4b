package dev.distillery.converter.report;

import java.util.List;

import dev.distillery.converter.report.Page.Chart;
import dev.distillery.converter.report.Page.Image;
import dev.distillery.converter.report.Page.SampleRow;

/**
 * What {@code comparison.html} shows.
 *
 * @param columns of the table; a row has a cell for each
 * @param samples a row per prompt that all runs drew
 * @param shared YAML of the fields in which the runs do not differ
 */
record ComparisonPage(
        String title,
        String lead,
        List<String> columns,
        List<Row> rows,
        List<String> notes,
        List<Chart> charts,
        List<Image> sampleColumns,
        List<SampleRow> samples,
        String samplesNote,
        String shared,
        String footer) {

    /** @param colour of its curves, a CSS variable; null: it has none */
    record Row(String run, String colour, List<String> cells) {}
}
