package dev.distillery.evaluator.score;

import com.fasterxml.jackson.annotation.JsonInclude;

/**
 * The scores, and all that they depend on.
 *
 * @param match null if it was not asked for
 * @param teacher null if no picture was drawn
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record EvaluationReport(
        Protocol protocol, Digests digests, Match match, Pictures student, Pictures teacher, Pictures real) {

    /**
     * @param firstImage position of the first pair in the data; null where they do not follow one another
     * @param scheduler as diffusers calls it
     * @param scoredSize of the pictures that CLIP and Inception saw, in pixels
     * @param seed image i is drawn with {@code seed + i}
     * @param clip folder of the CLIP model; null without
     * @param realStatistics what FID compares with: a file, or null for the images of the data themselves
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Protocol(
            String student,
            String teacher,
            String data,
            Integer firstImage,
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
    public record Match(
            long[] timesteps,
            double[] output,
            double[] feature,
            double outputError,
            double featureError,
            Double latentDistance) {}

    /** Scores of a set of pictures; null where they were not asked for. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Pictures(Double clip, Double fid, Double is, Double isDeviation) {}
}
