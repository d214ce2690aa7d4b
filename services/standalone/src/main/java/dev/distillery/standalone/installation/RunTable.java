package dev.distillery.standalone.installation;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.standalone.console.Progress;
import dev.distillery.standalone.console.RequestFile;
import dev.distillery.standalone.console.Table;

/** Runs for people. */
final class RunTable {
    private static final List<String> HEADINGS =
            List.of("RUN", "STATE", "STAGE", "PROGRESS", "RATE", "LEFT", "CHANGED");

    private final Instant now;

    RunTable(Instant now) {
        this.now = now;
    }

    String of(List<RunStatus> runs) {
        return runs.isEmpty()
                ? "There are no runs."
                : Table.of(HEADINGS, runs.stream().map(this::row).toList());
    }

    private List<String> row(RunStatus run) {
        return List.of(
                run.run(), run.state().inWords(), run.stage(), progress(run), rate(run), left(run), age(run) + " ago");
    }

    String of(RunDetails run) {
        RunStatus status = run.status();
        List<String> lines = new ArrayList<>();
        lines.add(line("Run", status.run()));
        lines.add(line("State", status.state().inWords()));
        if (status.done() != null) {
            lines.add(line(
                    "Progress",
                    status.stage() + ", " + progress(status) + " (" + status.done() + "/" + status.total() + " "
                            + status.unit() + ")"
                            + (status.rate() == null ? "" : ", " + rate(status))
                            + (status.estimatedRemainingSeconds() == null ? "" : ", " + left(status) + " left")));
        }
        lines.add(line("Changed", age(status) + " ago, " + status.lastChange()));
        if (run.metrics() != null) {
            lines.add(line("Losses", losses(run.metrics())));
        }
        if (run.failure() != null) {
            lines.add(line(
                    "Failed",
                    "in stage '" + run.failure().stage() + "': " + run.failure().reason()));
            if (run.failure().advice() != null) {
                lines.add(line("", run.failure().advice()));
            }
        }
        if (run.violations() != null) {
            lines.add(line("Rejected", "\n" + RequestFile.describe(run.violations())));
        }
        run.stages()
                .forEach(stage -> lines.add(line(
                        stage.stage().equals("ingest") ? "Stages" : "",
                        String.format(
                                "%-8s %7s  %s",
                                stage.stage(), Progress.time(stage.seconds()), detail(stage.detail())))));
        String[] heading = {"Places"};
        run.places().forEach((what, where) -> {
            lines.add(line(heading[0], String.format("%-10s %s", what, where)));
            heading[0] = "";
        });
        return String.join("\n", lines);
    }

    private static String line(String heading, String text) {
        return String.format("%-9s %s", heading, text).stripTrailing();
    }

    private static String losses(JsonNode metrics) {
        return String.format(
                Locale.ROOT,
                "%.4g = task %.4g + output %.4g + feature %.4g, of step %d",
                metrics.path("loss").asDouble(),
                metrics.path("loss_task").asDouble(),
                metrics.path("loss_output").asDouble(),
                metrics.path("loss_feature").asDouble(),
                metrics.path("step").asLong());
    }

    /** Its plain numbers: the rest is for programs. */
    private static String detail(JsonNode detail) {
        List<String> facts = new ArrayList<>();
        detail.properties().forEach(fact -> {
            if (fact.getValue().isIntegralNumber() || fact.getKey().equals("dtype")) {
                facts.add(fact.getKey() + " " + fact.getValue().asText());
            }
        });
        return String.join(", ", facts);
    }

    private static String progress(RunStatus run) {
        return run.progressPercentage() == null ? "-" : run.progressPercentage() + " %";
    }

    private static String rate(RunStatus run) {
        return run.rate() == null ? "-" : String.format(Locale.ROOT, "%.3g %s/s", run.rate(), run.unit());
    }

    private static String left(RunStatus run) {
        return run.estimatedRemainingSeconds() == null ? "-" : Progress.time(run.estimatedRemainingSeconds());
    }

    /** In the largest unit, as kubectl tells ages. */
    private String age(RunStatus run) {
        long seconds = Math.max(
                0, Duration.between(Instant.parse(run.lastChange()), now).toSeconds());
        if (seconds < 120) {
            return seconds + "s";
        } else if (seconds < 7200) {
            return seconds / 60 + "m";
        }
        return seconds < 172_800 ? seconds / 3600 + "h" : seconds / 86_400 + "d";
    }
}
