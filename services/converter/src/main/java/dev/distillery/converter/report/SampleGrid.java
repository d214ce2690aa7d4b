package dev.distillery.converter.report;

import java.util.ArrayList;
import java.util.List;

import dev.distillery.converter.report.Page.Image;
import dev.distillery.converter.report.Page.SampleRow;

/** Samples side by side: the teacher first, then the student over the epochs, a row for each prompt. */
final class SampleGrid {

    static final String TEACHER = "teacher";

    private final RunRecord record;
    private final List<String> folders;

    SampleGrid(RunRecord record) {
        this.record = record;
        List<String> epochs = record.samples().keySet().stream()
                .filter(folder -> !folder.equals(TEACHER))
                .toList();
        this.folders = new ArrayList<>();
        if (record.samples().containsKey(TEACHER)) {
            folders.add(TEACHER);
        }
        folders.addAll(epochs);
    }

    List<Image> columns() {
        return folders.stream().map(folder -> image(folder, null)).toList();
    }

    List<SampleRow> rows() {
        List<SampleRow> rows = new ArrayList<>();
        List<String> prompts = record.prompts();
        for (int i = 0; i < prompts.size(); i++) {
            int index = i;
            List<Image> images = folders.stream()
                    .map(folder -> image(folder, record.samples().get(folder).get(index)))
                    .toList();
            if (images.stream().anyMatch(image -> image.data() != null)) {
                rows.add(new SampleRow(prompts.get(i), images));
            }
        }
        return rows;
    }

    private static Image image(String folder, byte[] png) {
        boolean teacher = folder.equals(TEACHER);
        String title = teacher
                ? "Teacher"
                : "Student, " + folder.replaceFirst("-0*", " ").replace("-ema", ", average of weights");
        return new Image(title, teacher ? "teacher" : "student", png == null ? null : SampleImages.dataUri(png));
    }
}
