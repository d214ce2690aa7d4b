package dev.distillery.standalone.evaluation;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntConsumer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.diffusion.clip.ClipModel;
import dev.distillery.diffusion.distill.MatchErrors;
import dev.distillery.diffusion.distill.TeacherMatch;
import dev.distillery.diffusion.evaluate.Gaussian;
import dev.distillery.diffusion.evaluate.Inception;
import dev.distillery.diffusion.evaluate.InceptionScore;
import dev.distillery.diffusion.evaluate.Judge;
import dev.distillery.diffusion.evaluate.PairEncoder;
import dev.distillery.diffusion.evaluate.PictureScores;
import dev.distillery.diffusion.image.Resampling;
import dev.distillery.diffusion.image.RgbImage;
import dev.distillery.diffusion.sample.TextToImage;
import dev.distillery.diffusion.schedule.NoiseSchedule;
import dev.distillery.diffusion.tensor.Precision;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.unet.UNet2DCondition;

/**
 * Teacher and student on the same captions and noise. What is found of image i depends on the seed and i alone, so ranges of
 * images can be evaluated one after another and added up.
 *
 * <p>Owns all networks.
 */
final class Evaluation implements AutoCloseable {
    /** Pictures that are looked at together. */
    private static final int CHUNK = 16;

    /** Rows of the grid at most. */
    private static final int SHOWN = 8;

    /**
     * @param teacher a diffusers folder, whose encoders, auto-encoder and scheduler both networks use
     * @param student folder of a U-Net
     * @param scoredPx height and width of what CLIP and Inception see
     * @param clip folder of a CLIP model
     * @param scheduler configuration of the scheduler that both draw with
     * @param realStatistics a {@code .npz} that FID compares with instead of the images of the data
     */
    record Settings(
            Path teacher,
            Path student,
            Set<Score> scores,
            int sizePx,
            int scoredPx,
            JsonNode scheduler,
            int steps,
            double guidance,
            long seed,
            Optional<Path> clip,
            Optional<InceptionFile> inception,
            Optional<Path> realStatistics) {}

    /** @param sha256 that the file must have */
    record InceptionFile(Path file, String sha256) {}

    /**
     * @param grid a row for each of the first pairs: the image of the data, the teacher's picture, the student's
     */
    record Evaluated(EvaluationReport report, RgbImage grid) {}

    /** What was found; the pictures' are empty before the first chunk. */
    private record Found(
            MatchErrors match,
            Optional<PictureScores> student,
            Optional<PictureScores> teacher,
            Optional<PictureScores> real) {}

    private final Settings settings;
    private final NDManager manager = Torch.newManager();
    private final TextToImage parts;
    private final UNet2DCondition teacher;
    private final UNet2DCondition student;
    private final Judge judge;
    private final Optional<ClipModel> clip;
    private final Optional<Inception> inception;
    private final TeacherMatch match;
    private final List<RgbImage> shown = new ArrayList<>();

    /** @throws IllegalArgumentException naming what cannot be loaded */
    Evaluation(Settings settings) {
        this.settings = settings;
        parts = TextToImage.load(settings.teacher(), settings.scheduler());
        teacher = UNet2DCondition.load(settings.teacher().resolve("unet"), manager);
        student = UNet2DCondition.load(settings.student(), manager);
        clip = settings.clip().map(folder -> ClipModel.load(folder, manager));
        inception = settings.inception().map(i -> Inception.load(i.file(), i.sha256(), manager));
        judge = new Judge(parts.vae(), clip, inception, settings.scoredPx());
        match = new TeacherMatch(
                teacher, student, NoiseSchedule.read(settings.teacher().resolve("scheduler")), Precision.FP32);
    }

    /**
     * Evaluates, once.
     *
     * @param done is told how many pairs are done
     */
    Evaluated of(HeldOutData data, EvaluationReport.Protocol protocol, Digests digests, IntConsumer done)
            throws IOException {
        var found = new Found(MatchErrors.NONE, Optional.empty(), Optional.empty(), Optional.empty());
        try (HeldOutData.Reader pairs = data.open()) {
            for (int from = 0; from < data.count(); from += CHUNK) {
                List<HeldOutImage> chunk = pairs.next(Math.min(CHUNK, data.count() - from));
                found = plus(found, chunk, data.first() + from, done, from);
            }
        }
        return new Evaluated(report(found, protocol, digests), RgbImage.grid(shown, 3, 2));
    }

    private Found plus(Found before, List<HeldOutImage> chunk, int first, IntConsumer done, int doneBefore)
            throws IOException {
        MatchErrors errors = before.match;
        var captions = new ArrayList<String>();
        var students = new ArrayList<RgbImage>();
        var teachers = new ArrayList<RgbImage>();
        var reals = new ArrayList<RgbImage>();
        for (HeldOutImage pair : chunk) {
            long seed = settings.seed() + first + captions.size();
            RgbImage image = pair.image();
            if (settings.scores().contains(Score.TEACHER_MATCH)) {
                errors = errors.plus(errors(image, pair.caption(), seed));
            }
            students.add(drawn(student, pair.caption(), seed));
            teachers.add(drawn(teacher, pair.caption(), seed));
            reals.add(image.resize(settings.scoredPx(), settings.scoredPx(), Resampling.BICUBIC));
            captions.add(pair.caption());
            if (shown.size() < 3 * SHOWN) {
                shown.add(image.resize(settings.sizePx(), settings.sizePx(), Resampling.BICUBIC));
                shown.add(teachers.get(teachers.size() - 1));
                shown.add(students.get(students.size() - 1));
            }
            done.accept(doneBefore + captions.size());
        }
        return new Found(
                errors,
                Optional.of(added(before.student, judge.of(students, captions))),
                Optional.of(added(before.teacher, judge.of(teachers, captions))),
                clip.isEmpty() && inception.isEmpty()
                        ? Optional.empty()
                        : Optional.of(added(before.real, judge.of(reals, captions))));
    }

    private static PictureScores added(Optional<PictureScores> before, PictureScores next) {
        return before.map(sum -> sum.plus(next)).orElse(next);
    }

    private MatchErrors errors(RgbImage image, String caption, long seed) {
        try (NDManager scope = Torch.newManager()) {
            var encoder = new PairEncoder(parts.vae(), parts.promptEncoder(), settings.sizePx());
            return match.of(encoder.encode(image, caption, scope), seed);
        }
    }

    /** One at a time: so a picture does not depend on its neighbours. */
    private RgbImage drawn(UNet2DCondition network, String caption, long seed) {
        int px = settings.sizePx();
        try (NDManager scope = Torch.newManager()) {
            var one = new TextToImage.Settings(List.of(caption), px, settings.steps(), settings.guidance(), seed);
            NDArray pixels = parts.render(network, one, scope);
            return RgbImage.fromChw(pixels.mul(2).sub(1).toFloatArray(), px, px);
        }
    }

    private EvaluationReport report(Found found, EvaluationReport.Protocol protocol, Digests digests) {
        PictureScores students = found.student.orElseThrow();
        PictureScores teachers = found.teacher.orElseThrow();
        Optional<Gaussian> real = settings.scores().contains(Score.FID)
                ? settings.realStatistics()
                        .map(Gaussian::readNpz)
                        .or(() -> found.real.flatMap(PictureScores::inception).map(s -> s.gaussian()))
                : Optional.empty();
        return new EvaluationReport(
                protocol,
                digests,
                settings.scores().contains(Score.TEACHER_MATCH) ? match(found.match, students, teachers) : null,
                pictures(students, real),
                pictures(teachers, real),
                found.real.map(scores -> pictures(scores, Optional.empty())).orElse(null));
    }

    private EvaluationReport.Match match(MatchErrors errors, PictureScores students, PictureScores teachers) {
        boolean several = errors.pairs() > 1;
        return new EvaluationReport.Match(
                match.timesteps(),
                errors.meanOutput(),
                errors.meanFeature(),
                errors.outputError(),
                errors.featureError(),
                several
                        ? students.latents()
                                .gaussian()
                                .frechetDistance(teachers.latents().gaussian())
                        : null);
    }

    private EvaluationReport.Pictures pictures(PictureScores scores, Optional<Gaussian> real) {
        Optional<InceptionScore> is = settings.scores().contains(Score.IS)
                ? Optional.of(InceptionScore.of(scores.logProbabilities(), InceptionScore.SPLITS))
                : Optional.empty();
        return new EvaluationReport.Pictures(
                settings.scores().contains(Score.CLIP) ? scores.clip().mean() : null,
                real.flatMap(of -> scores.inception().map(own -> own.gaussian().frechetDistance(of)))
                        .orElse(null),
                is.map(InceptionScore::mean).orElse(null),
                is.map(InceptionScore::deviation).orElse(null));
    }

    @Override
    public void close() {
        clip.ifPresent(ClipModel::close);
        inception.ifPresent(Inception::close);
        parts.close();
        manager.close();
    }
}
