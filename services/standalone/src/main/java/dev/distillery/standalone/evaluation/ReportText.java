package dev.distillery.standalone.evaluation;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

import dev.distillery.evaluator.score.EvaluationReport;
import dev.distillery.evaluator.score.EvaluationReport.Match;
import dev.distillery.evaluator.score.EvaluationReport.Pictures;
import dev.distillery.evaluator.score.EvaluationReport.Protocol;
import dev.distillery.standalone.console.Table;

/** Scores for people. */
record ReportText(Protocol protocol, Match match, Pictures student, Pictures teacher, Pictures real) {
    static String of(EvaluationReport report) {
        return new ReportText(report.protocol(), report.match(), report.student(), report.teacher(), report.real())
                .text();
    }

    private String text() {
        var text = new StringBuilder(String.format(
                Locale.ROOT,
                "%d images of %d px from position %d, %s, %d steps, guidance %s, seed %d%n",
                protocol.images(),
                protocol.size(),
                protocol.firstImage(),
                protocol.scheduler(),
                protocol.steps(),
                protocol.guidance(),
                protocol.seed()));
        if (match != null) {
            text.append(matchText()).append("\n");
        }
        if (student != null && !rows().isEmpty()) {
            text.append(Table.of(List.of("score", "student", "teacher", "data"), rows()));
        }
        return text.toString().stripTrailing();
    }

    private String matchText() {
        List<List<String>> rows = new ArrayList<>();
        for (int bin = 0; bin < match.timesteps().length; bin++) {
            rows.add(List.of(
                    Long.toString(match.timesteps()[bin]), number(match.output()[bin]), number(match.feature()[bin])));
        }
        rows.add(List.of("all", number(match.outputError()), number(match.featureError())));
        return Table.of(List.of("timestep", "output MSE", "feature MSE"), rows)
                + (match.latentDistance() == null
                        ? ""
                        : "\nFréchet distance from the teacher's pictures, in latents: "
                                + number(match.latentDistance()));
    }

    private List<List<String>> rows() {
        List<List<String>> rows = new ArrayList<>();
        row(rows, "CLIP score", Pictures::clip);
        row(rows, "FID", Pictures::fid);
        row(rows, "IS", Pictures::is);
        return rows;
    }

    private void row(List<List<String>> rows, String name, Function<Pictures, Double> score) {
        if (score.apply(student) != null) {
            rows.add(List.of(
                    name,
                    number(score.apply(student)),
                    number(score.apply(teacher)),
                    real == null || score.apply(real) == null ? "" : number(score.apply(real))));
        }
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.4g", value);
    }
}
