package dev.distillery.evaluator.score;

import java.util.Optional;
import java.util.Set;

import dev.distillery.diffusion.distill.MatchErrors;
import dev.distillery.diffusion.evaluate.FeatureStatistics;
import dev.distillery.diffusion.evaluate.Gaussian;
import dev.distillery.diffusion.evaluate.InceptionScore;
import dev.distillery.diffusion.evaluate.PictureScores;

/** The sum of parts, one after another in the order of their images. */
public final class Findings {
    private long[] timesteps;
    private MatchErrors match = MatchErrors.NONE;
    private Optional<PictureScores> student = Optional.empty();
    private Optional<PictureScores> teacher = Optional.empty();
    private Optional<PictureScores> data = Optional.empty();

    public void add(Part part) {
        timesteps = part.timesteps();
        match = match.plus(part.match());
        student = Optional.of(sum(student, PictureScores.of(part.student())));
        teacher = Optional.of(sum(teacher, PictureScores.of(part.teacher())));
        data = part.data().map(PictureScores::of).map(next -> sum(data, next));
    }

    private static PictureScores sum(Optional<PictureScores> before, PictureScores next) {
        return before.map(sum -> sum.plus(next)).orElse(next);
    }

    /**
     * The scores of all parts.
     *
     * @param real what FID compares with instead of the images of the data
     */
    public EvaluationReport report(
            Set<Score> scores, Optional<Gaussian> real, EvaluationReport.Protocol protocol, Digests digests) {
        Optional<Gaussian> reference = scores.contains(Score.FID)
                ? real.or(() -> data.flatMap(PictureScores::inception).map(FeatureStatistics::gaussian))
                : Optional.empty();
        return new EvaluationReport(
                protocol,
                digests,
                scores.contains(Score.TEACHER_MATCH) ? match() : null,
                pictures(student.orElseThrow(), scores, reference),
                pictures(teacher.orElseThrow(), scores, reference),
                data.map(own -> pictures(own, scores, Optional.empty())).orElse(null));
    }

    private EvaluationReport.Match match() {
        Gaussian ofStudent = gaussian(student);
        return new EvaluationReport.Match(
                timesteps,
                match.meanOutput(),
                match.meanFeature(),
                match.outputError(),
                match.featureError(),
                ofStudent == null ? null : ofStudent.frechetDistance(gaussian(teacher)));
    }

    private Gaussian gaussian(Optional<PictureScores> pictures) {
        return match.pairs() > 1 ? pictures.orElseThrow().latents().gaussian() : null;
    }

    private static EvaluationReport.Pictures pictures(
            PictureScores pictures, Set<Score> scores, Optional<Gaussian> reference) {
        Optional<InceptionScore> is = scores.contains(Score.IS)
                ? Optional.of(InceptionScore.of(pictures.logProbabilities(), InceptionScore.SPLITS))
                : Optional.empty();
        return new EvaluationReport.Pictures(
                scores.contains(Score.CLIP) ? pictures.clip().mean() : null,
                reference
                        .flatMap(of ->
                                pictures.inception().map(own -> own.gaussian().frechetDistance(of)))
                        .orElse(null),
                is.map(InceptionScore::mean).orElse(null),
                is.map(InceptionScore::deviation).orElse(null));
    }
}
