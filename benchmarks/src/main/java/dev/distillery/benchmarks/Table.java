package dev.distillery.benchmarks;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

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
        if (row.variant().encode() && !row.peer().isEmpty()) {
            line += "\n" + epochs(row, seconds, Measurement.medianSeconds(row.peer()));
        }
        return line + "\n" + estimate(row.ours(), seconds, bytes);
    }

    /** The peer encodes in every step of every epoch. */
    private static String epochs(Row row, double seconds, double peerSeconds) {
        double encode = Measurement.median(
                row.ours().stream().mapToDouble(Measurement::encodeSeconds).toArray());
        return format(
                "  an epoch from the second on takes %.2f of the peer's, the first %.2f (encoding a batch, once: %.3f s)",
                seconds / peerSeconds, (seconds + encode) / peerSeconds, encode);
    }

    /** What was estimated, how that compares with what was measured, and how the memory divides. */
    private static String estimate(List<Measurement> rounds, double seconds, double bytes) {
        double estimatedSeconds = Measurement.median(
                rounds.stream().mapToDouble(Measurement::estimatedSeconds).toArray());
        long estimatedBytes = rounds.get(0).estimatedBytes();
        String parts = rounds.get(0).estimatedParts().entrySet().stream()
                .filter(part -> part.getValue() > 0)
                .map(part -> format("%s %.2f", part.getKey(), part.getValue() / 1e9))
                .collect(Collectors.joining(", "));
        return format(
                "  estimated: %.3f s (%.2f of measured), %.2f GB (%.2f): %s",
                estimatedSeconds, estimatedSeconds / seconds, estimatedBytes / 1e9, estimatedBytes / bytes, parts);
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}
