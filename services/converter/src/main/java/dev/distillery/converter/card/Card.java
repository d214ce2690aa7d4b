package dev.distillery.converter.card;

import java.util.List;

import dev.distillery.converter.report.Scores;
import dev.distillery.converter.report.SizeRow;

/**
 * What the template shows. Names with "Markdown" hold Markdown, the others words.
 *
 * @param headerMarkdown between two lines of dashes
 * @param removes whether the student lacks blocks of the teacher
 * @param withTextEncoders whether they were trained beside the U-Net
 * @param samples a row per prompt that both networks drew; none if the run drew no samples
 * @param losses a row per term
 * @param scores that a train request asked for; null before the student is scored
 * @param settings a row per setting
 */
record Card(
        String headerMarkdown,
        String run,
        String teacherMarkdown,
        String datasetMarkdown,
        String layout,
        String portion,
        String resolution,
        List<SizeRow> sizes,
        List<Sample> samples,
        String samplesNote,
        String useMarkdown,
        String comfyUi,
        boolean removes,
        boolean withTextEncoders,
        List<Loss> losses,
        Scores scores,
        List<Setting> settings,
        String requestMarkdown,
        String licenceMarkdown) {

    /** @param teacher and {@code student} name pictures beside the card */
    record Sample(String prompt, String teacher, String student) {}

    /** Of the first step and of the last, smoothed; before and after training on held-out pairs. */
    record Loss(String term, String first, String last, String before, String after) {}

    record Setting(String name, String value) {}
}
