package dev.distillery.evaluator.score;

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
import dev.distillery.diffusion.clip.PromptEncoder;
import dev.distillery.diffusion.distill.MatchErrors;
import dev.distillery.diffusion.distill.TeacherMatch;
import dev.distillery.diffusion.evaluate.Inception;
import dev.distillery.diffusion.evaluate.Judge;
import dev.distillery.diffusion.evaluate.PairEncoder;
import dev.distillery.diffusion.image.Resampling;
import dev.distillery.diffusion.image.RgbImage;
import dev.distillery.diffusion.sample.TextToImage;
import dev.distillery.diffusion.schedule.NoiseSchedule;
import dev.distillery.diffusion.tensor.Precision;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.unet.UNet2DCondition;

/**
 * Teacher and student on the same captions and noise. What is found of image i depends on the seed and i alone, so ranges of
 * images can be evaluated one after another, or on many machines, and added up.
 *
 * <p>Owns all networks.
 */
public final class Evaluation implements AutoCloseable {
    /** Pictures that are looked at together. */
    public static final int PART_IMAGES = 16;

    /** Rows of the grid at most. */
    private static final int SHOWN = 8;

    /**
     * @param teacher a diffusers folder, whose auto-encoder both networks use, and text encoders unless the student has its own
     * @param student folder of a U-Net
     * @param trained folder of text encoders that were trained with it
     * @param scoredPx height and width of what CLIP and Inception see
     * @param scheduler configuration of the scheduler that both draw with
     * @param clip folder of a CLIP model
     */
    public record Settings(
            Path teacher,
            Path student,
            Optional<Path> trained,
            Set<Score> scores,
            int sizePx,
            int scoredPx,
            JsonNode scheduler,
            int steps,
            double guidance,
            long seed,
            Optional<Path> clip,
            Optional<InceptionFile> inception) {}

    /** @param sha256 that the file must have */
    public record InceptionFile(Path file, String sha256) {}

    /** @param grid a row for each of the first pairs: the image of the data, the teacher's picture, the student's */
    public record Evaluated(Part part, RgbImage grid) {}

    private final Settings settings;
    private final NDManager manager = Torch.newManager();
    private final TextToImage parts;
    private final UNet2DCondition teacher;
    private final UNet2DCondition student;
    private final Optional<PromptEncoder> trained; // text encoders, the student's own
    private final Judge judge;
    private final Optional<ClipModel> clip;
    private final Optional<Inception> inception;
    private final TeacherMatch match;

    /** @throws IllegalArgumentException naming what cannot be loaded */
    public Evaluation(Settings settings) {
        this.settings = settings;
        parts = TextToImage.load(settings.teacher(), settings.scheduler());
        teacher = UNet2DCondition.load(settings.teacher().resolve("unet"), manager);
        student = UNet2DCondition.load(settings.student(), manager);
        trained = settings.trained().map(encoders -> PromptEncoder.load(encoders, settings.teacher(), manager));
        clip = settings.clip().map(folder -> ClipModel.load(folder, manager));
        inception = settings.inception().map(i -> Inception.load(i.file(), i.sha256(), manager));
        judge = new Judge(parts.vae(), clip, inception, settings.scoredPx());
        match = new TeacherMatch(
                teacher, student, NoiseSchedule.read(settings.teacher().resolve("scheduler")), Precision.FP32);
    }

    /**
     * Evaluates a part.
     *
     * @param pairs one or more, at most {@link #PART_IMAGES}
     * @param first position of the first pair: pair k is image {@code first + k}
     * @param done is told after each pair how many are done
     */
    public Evaluated of(List<HeldOutImage> pairs, int first, IntConsumer done) throws IOException {
        MatchErrors errors = MatchErrors.NONE;
        var captions = new ArrayList<String>();
        var students = new ArrayList<RgbImage>();
        var teachers = new ArrayList<RgbImage>();
        var reals = new ArrayList<RgbImage>();
        var shown = new ArrayList<RgbImage>();
        for (HeldOutImage pair : pairs) {
            long seed = settings.seed() + first + captions.size();
            RgbImage image = pair.image();
            if (settings.scores().contains(Score.TEACHER_MATCH)) {
                errors = errors.plus(errors(image, pair.caption(), seed));
            }
            RgbImage ofStudent = drawn(student, trained.orElse(parts.promptEncoder()), pair.caption(), seed);
            RgbImage ofTeacher = drawn(teacher, parts.promptEncoder(), pair.caption(), seed);
            if (shown.size() < 3 * SHOWN) {
                shown.addAll(List.of(sized(image, settings.sizePx()), ofTeacher, ofStudent));
            }
            captions.add(pair.caption());
            students.add(ofStudent);
            teachers.add(ofTeacher);
            reals.add(sized(image, settings.scoredPx()));
            done.accept(captions.size());
        }
        boolean looksAtData = clip.isPresent() || inception.isPresent();
        var part = new Part(
                match.timesteps(),
                errors,
                judge.of(students, captions),
                judge.of(teachers, captions),
                looksAtData ? Optional.of(judge.of(reals, captions)) : Optional.empty());
        return new Evaluated(part, RgbImage.grid(shown, 3, 2));
    }

    private static RgbImage sized(RgbImage image, int px) {
        return image.resize(px, px, Resampling.BICUBIC);
    }

    private MatchErrors errors(RgbImage image, String caption, long seed) {
        try (NDManager scope = Torch.newManager()) {
            var encoder = new PairEncoder(parts.vae(), parts.promptEncoder(), settings.sizePx());
            TeacherMatch.Pair pair = encoder.encode(image, caption, scope);
            TeacherMatch.Pair own = trained.map(prompts -> pair.with(prompts.encode(List.of(caption), scope)))
                    .orElse(pair);
            return match.of(pair, own, seed);
        }
    }

    /** One at a time: so a picture does not depend on its neighbours. */
    private RgbImage drawn(UNet2DCondition network, PromptEncoder prompts, String caption, long seed) {
        int px = settings.sizePx();
        try (NDManager scope = Torch.newManager()) {
            var one = new TextToImage.Settings(List.of(caption), px, settings.steps(), settings.guidance(), seed);
            NDArray pixels = parts.render(network, prompts, one, scope);
            return RgbImage.fromChw(pixels.mul(2).sub(1).toFloatArray(), px, px);
        }
    }

    @Override
    public void close() {
        trained.ifPresent(PromptEncoder::close);
        clip.ifPresent(ClipModel::close);
        inception.ifPresent(Inception::close);
        parts.close();
        manager.close();
    }
}
