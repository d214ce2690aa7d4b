package dev.distillery.benchmarks;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * What one process measured; it prints this as a line of JSON, whichever language it is in.
 *
 * @param seconds of each step after the warm-up
 * @param losses task, output and feature loss of the first step
 * @param peakBytes most resident memory
 * @param encodeSeconds of encoding a batch beforehand; 0 where that was not asked for
 * @param estimatedSeconds what {@code distillery validate} would have said of a step; 0 where there is no estimate
 * @param estimatedParts the same of the peak, by part; null where there is none
 * @param about versions and threads
 */
record Measurement(
        List<Double> seconds,
        List<Double> losses,
        long peakBytes,
        double encodeSeconds,
        double estimatedSeconds,
        Map<String, Long> estimatedParts,
        String about) {

    static double median(double... values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /** Of all steps of several processes. */
    static double medianSeconds(List<Measurement> rounds) {
        return median(rounds.stream()
                .flatMap(round -> round.seconds.stream())
                .mapToDouble(Double::doubleValue)
                .toArray());
    }

    long estimatedBytes() {
        return estimatedParts.values().stream().mapToLong(Long::longValue).sum();
    }

    static double medianPeakBytes(List<Measurement> rounds) {
        return median(rounds.stream().mapToDouble(Measurement::peakBytes).toArray());
    }
}
