package dev.distillery.benchmarks;

import java.util.List;
import java.util.Locale;

import dev.distillery.benchmarks.StepBenchmark.Row;

/** Rows of Markdown. */
final class Table {
    static final String HEADER =
            """
            | case | precision | recompute | s/step | peer | ratio | peak MB | peer | ratio |
            |---|---|---|---|---|---|---|---|---|""";

    private Table() {}

    static String line(Row row) {
        double seconds = Measurement.medianSeconds(row.ours());
        double bytes = Measurement.medianPeakBytes(row.ours());
        String peer = " |  |  |";
        String memoryPeer = " |  |  |";
        if (!row.peer().isEmpty()) {
            double peerSeconds = Measurement.medianSeconds(row.peer());
            double peerBytes = Measurement.medianPeakBytes(row.peer());
            peer = format(" | %.3f | %.2f |", peerSeconds, seconds / peerSeconds);
            memoryPeer = format(" | %.0f | %.2f |", peerBytes / 1e6, bytes / peerBytes);
        }
        String line = format(
                        "| %s | %s | %s | %.3f",
                        row.name(), row.variant().precision(), row.variant().recompute() ? "yes" : "no", seconds)
                + peer
                + format(" %.0f", bytes / 1e6)
                + memoryPeer;
        return row.peer().isEmpty() && !row.ours().get(0).parts().isEmpty() ? line + "\n" + parts(row.ours()) : line;
    }

    /** How the memory divides: what lives from step to step, and the rest. */
    private static String parts(List<Measurement> rounds) {
        Measurement first = rounds.get(0);
        var text = new StringBuilder("  of ").append(format("%.2f GB:", first.peakBytes() / 1e9));
        first.parts().forEach((part, bytes) -> text.append(format(" %s %.2f,", part, bytes / 1e9)));
        long rest = first.peakBytes()
                - first.parts().values().stream().mapToLong(Long::longValue).sum();
        return text.append(format(" the rest %.2f", rest / 1e9)).toString();
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}
