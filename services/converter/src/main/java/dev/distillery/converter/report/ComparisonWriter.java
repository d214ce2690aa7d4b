package dev.distillery.converter.report;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import dev.distillery.converter.report.Page.Chart;
import dev.distillery.converter.report.Page.Image;
import dev.distillery.converter.report.Page.SampleRow;
import dev.distillery.diffusion.distill.NetworkSizes;

/** Says in words, figures and drawings how runs compare. */
final class ComparisonWriter {

    private static final int COLOURS = 8;

    private final List<RunRecord> runs;
    private final Difference difference;
    private final Optional<RunRecord> teacher;

    ComparisonWriter(List<RunRecord> runs) {
        this.runs = runs;
        this.difference = Difference.of(runs);
        this.teacher = all(RunRecord::teacher).size() == 1 ? Optional.of(runs.get(0)) : Optional.empty();
    }

    /** @param teacher what the row of a teacher that all runs share says, of any of them */
    private record Column(String title, Function<RunRecord, String> student, Function<RunRecord, String> teacher) {}

    ComparisonPage write() {
        List<Column> columns = columns();
        return new ComparisonPage(
                Numbers.count(runs.size()) + " runs compared",
                lead(),
                columns.stream().map(Column::title).toList(),
                rows(columns),
                notes(),
                charts(),
                sampleColumns(),
                samples(),
                samplesNote(),
                Yaml.of(difference.shared()),
                "Written by Distillery from what the store holds of these runs.");
    }

    private String lead() {
        String fields = String.join(", ", difference.fields());
        return difference.fields().isEmpty()
                ? "Their requests are the same but for their names."
                : "Their requests differ in " + fields + ", and in nothing else.";
    }

    private List<Column> columns() {
        List<Column> columns = new ArrayList<>();
        difference.fields().forEach(field -> columns.add(studentOnly(field, run -> Difference.text(run, field))));
        columns.add(size("parameters", sizes -> Numbers.parameters(sizes.parameters()), NetworkSizes::parameters));
        columns.add(size("MACs a step", sizes -> Numbers.giga(sizes.macs()), NetworkSizes::macs));
        columns.add(new Column("time of a pass", latency("studentSeconds"), latency("teacherSeconds")));
        columns.add(studentOnly("task loss", last("eval_task")));
        columns.add(studentOnly("output error", last("eval_output")));
        columns.add(studentOnly("feature error", last("eval_feature")));
        for (String score : scores()) {
            columns.add(new Column(
                    score,
                    run -> row(run, score).map(Scores.Row::student).orElse(""),
                    run -> row(run, score).map(Scores.Row::teacher).orElse("")));
        }
        columns.add(studentOnly(
                "time to train",
                run -> run.train().isMissingNode()
                        ? ""
                        : Numbers.duration(run.train().path("seconds").asDouble())));
        return columns;
    }

    private static Column studentOnly(String title, Function<RunRecord, String> cell) {
        return new Column(title, cell, run -> "");
    }

    private interface Size {
        long of(NetworkSizes sizes);
    }

    private static Column size(String title, Function<NetworkSizes, String> text, Size size) {
        return new Column(
                title,
                run -> {
                    NetworkSizes student = run.sizesOf(run.studentConfig());
                    double share = (double) size.of(student) / size.of(run.sizesOf(run.teacherConfig()));
                    return text.apply(student) + " (" + Numbers.percent(share) + ")";
                },
                run -> text.apply(run.sizesOf(run.teacherConfig())));
    }

    private static Function<RunRecord, String> latency(String field) {
        return run -> run.latency().path(field).isNumber()
                ? Numbers.seconds(run.latency().path(field).asDouble())
                : "";
    }

    private static Function<RunRecord, String> last(String field) {
        return run -> {
            Series series = run.series(field).drawable(false);
            return series.y().length == 0 ? "" : Numbers.value(series.last());
        };
    }

    /** Those of any run's last evaluation. */
    private Set<String> scores() {
        return runs.stream()
                .flatMap(run -> lastScores(run).stream())
                .flatMap(scores -> scores.rows().stream())
                .map(Scores.Row::score)
                .collect(Collectors.toCollection(LinkedHashSet::new));
    }

    private static Optional<Scores> lastScores(RunRecord run) {
        return run.scores().stream().reduce((earlier, later) -> later);
    }

    private static Optional<Scores.Row> row(RunRecord run, String score) {
        return lastScores(run).stream()
                .flatMap(scores -> scores.rows().stream())
                .filter(row -> row.score().equals(score))
                .findFirst();
    }

    private List<ComparisonPage.Row> rows(List<Column> columns) {
        List<ComparisonPage.Row> rows = new ArrayList<>();
        teacher.ifPresent(
                of -> rows.add(new ComparisonPage.Row(SampleGrid.TEACHER, null, cells(columns, Column::teacher, of))));
        for (int i = 0; i < runs.size(); i++) {
            rows.add(
                    new ComparisonPage.Row(runs.get(i).run(), colour(i), cells(columns, Column::student, runs.get(i))));
        }
        return rows;
    }

    private static List<String> cells(
            List<Column> columns, Function<Column, Function<RunRecord, String>> which, RunRecord run) {
        return columns.stream().map(column -> which.apply(column).apply(run)).toList();
    }

    private List<String> notes() {
        List<String> notes = new ArrayList<>();
        notes.add("Task loss, output and feature error: on the pairs that a run holds out, after its last step.");
        Set<String> settings = all(run -> lastScores(run).map(Scores::settings).orElse("none"));
        if (scores().isEmpty()) {
            notes.add("No run was scored (evaluate.images).");
        } else if (settings.size() == 1) {
            notes.add("Scores: " + settings.iterator().next() + ".");
        } else {
            notes.add("The runs were scored in different ways: " + String.join("; ", settings) + ".");
        }
        notUnlessSame(notes, "dataset", "data sets");
        notUnlessSame(notes, "latents", "encoded latents");
        notUnlessSame(notes, "model", "teachers");
        Set<String> machines = all(run -> run.latency().path("machine").asText("unknown"));
        if (machines.size() > 1) {
            notes.add("Times are of different machines: " + String.join("; ", machines) + ".");
        }
        return notes;
    }

    /** The same address may hold other things on another day. */
    private void notUnlessSame(List<String> notes, String field, String what) {
        Set<String> fingerprints =
                all(run -> run.train().path("detail").path(field).asText());
        if (fingerprints.size() > 1) {
            notes.add("The runs had different " + what + ": " + String.join(", ", fingerprints) + ".");
        }
    }

    private Set<String> all(Function<RunRecord, String> what) {
        return runs.stream().map(what).collect(Collectors.toCollection(LinkedHashSet::new));
    }

    private List<Chart> charts() {
        String heldOut = "On held-out pairs, with fixed noise and timesteps.";
        return List.of(
                chart("Task loss", "eval_task", heldOut, Function.identity()),
                chart("Output error", "eval_output", heldOut, Function.identity()),
                chart("Feature error", "eval_feature", heldOut, Function.identity()),
                chart(
                        "Task loss while training",
                        "loss_task",
                        "Of each step's batch, the moving average.",
                        Series::smoothed));
    }

    private Chart chart(String title, String field, String note, Function<Series, Series> shown) {
        List<LineChart.Curve> curves = IntStream.range(0, runs.size())
                .mapToObj(i -> new LineChart.Curve(
                        shown.apply(runs.get(i).series(field).drawable(true)),
                        colour(i),
                        runs.get(i).run()))
                .toList();
        return new Chart(title, LineChart.ofSeveral(title, curves), note);
    }

    private static String colour(int run) {
        return "--series-" + run % COLOURS;
    }

    private List<Image> sampleColumns() {
        List<Image> columns = new ArrayList<>();
        teacher.ifPresent(of -> columns.add(new Image("Teacher", "teacher", null)));
        runs.forEach(run -> columns.add(new Image(run.run(), "student", null)));
        return columns;
    }

    /** Of the prompts that every run has. */
    private List<SampleRow> samples() {
        List<SampleRow> rows = new ArrayList<>();
        for (String prompt : runs.get(0).prompts()) {
            if (runs.stream().allMatch(run -> run.prompts().contains(prompt))) {
                List<Image> images = new ArrayList<>();
                teacher.ifPresent(of -> images.add(image("Teacher", "teacher", of, SampleGrid.TEACHER, prompt)));
                runs.forEach(run -> images.add(image(run.run(), "student", run, lastSamples(run), prompt)));
                rows.add(new SampleRow(prompt, images));
            }
        }
        return rows;
    }

    private static Image image(String title, String cssClass, RunRecord run, String folder, String prompt) {
        byte[] png = Optional.ofNullable(run.samples().get(folder))
                .map(images -> images.get(run.prompts().indexOf(prompt)))
                .orElse(null);
        return new Image(title, cssClass, png == null ? null : SampleImages.dataUri(png));
    }

    private static String lastSamples(RunRecord run) {
        return run.samples().keySet().stream()
                .filter(folder -> !folder.equals(SampleGrid.TEACHER))
                .reduce("", (earlier, later) -> later);
    }

    private String samplesNote() {
        boolean same = difference.fields().stream().noneMatch(field -> field.startsWith("samples."));
        return same
                ? "Drawn after the last epoch, each row from the same noise: "
                        + PageWriter.howSampled(runs.get(0).request().path("samples"))
                : "The runs drew their samples in different ways, so pictures may differ for that alone.";
    }
}
