package dev.distillery.standalone.evaluation;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.distillery.standalone.console.Table;

/**
 * The scores, and all that they depend on.
 *
 * @param match null if it was not asked for
 * @param teacher null if no picture was drawn
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record EvaluationReport(
        Protocol protocol, Digests digests, Match match, Pictures student, Pictures teacher, Pictures real) {

    /**
     * @param firstImage position of the first pair in the data
     * @param scheduler as diffusers calls it
     * @param scoredSize of the pictures that CLIP and Inception saw, in pixels
     * @param seed image i is drawn with {@code seed + i}
     * @param clip folder of the CLIP model; null without
     * @param realStatistics what FID compares with: a file, or null for the images of the data themselves
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Protocol(
            String student,
            String teacher,
            String data,
            int firstImage,
            int images,
            String scheduler,
            int steps,
            double guidance,
            int size,
            int scoredSize,
            long seed,
            String clip,
            String realStatistics,
            String engine) {}

    /**
     * Mean square errors of the student against the teacher, over all pairs.
     *
     * @param timesteps of the bins, the least noisy first
     * @param latentDistance Fréchet distance of the student's and the teacher's pictures in the auto-encoder's latents; null
     *     where there are less than two
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Match(
            long[] timesteps,
            double[] output,
            double[] feature,
            double outputError,
            double featureError,
            Double latentDistance) {}

    /** Scores of a set of pictures; null where they were not asked for. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Pictures(Double clip, Double fid, Double is, Double isDeviation) {}

    String text() {
        var text = new StringBuilder(String.format(
                Locale.ROOT,
                "%d images of %d px from position %d, %s, %d steps, guidance %s, seed %d%n",
                protocol.images,
                protocol.size,
                protocol.firstImage,
                protocol.scheduler,
                protocol.steps,
                protocol.guidance,
                protocol.seed));
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
        for (int bin = 0; bin < match.timesteps.length; bin++) {
            rows.add(List.of(
                    Long.toString(match.timesteps[bin]), number(match.output[bin]), number(match.feature[bin])));
        }
        rows.add(List.of("all", number(match.outputError), number(match.featureError)));
        return Table.of(List.of("timestep", "output MSE", "feature MSE"), rows)
                + (match.latentDistance == null
                        ? ""
                        : "\nFréchet distance from the teacher's pictures, in latents: "
                                + number(match.latentDistance));
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
