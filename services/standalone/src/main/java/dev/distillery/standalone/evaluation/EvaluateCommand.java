package dev.distillery.standalone.evaluation;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Function;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.diffusion.evaluate.Gaussian;
import dev.distillery.diffusion.image.RgbImage;
import dev.distillery.diffusion.lora.SavedLora;
import dev.distillery.diffusion.safetensors.SafetensorsException;
import dev.distillery.diffusion.schedule.Sampler;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.tensor.WeightsException;
import dev.distillery.evaluator.score.Digests;
import dev.distillery.evaluator.score.Evaluation;
import dev.distillery.evaluator.score.EvaluationReport;
import dev.distillery.evaluator.score.Findings;
import dev.distillery.evaluator.score.Score;
import dev.distillery.standalone.console.Arguments;
import dev.distillery.standalone.console.OutputOption;
import dev.distillery.standalone.console.QuietLogging;
import dev.distillery.standalone.console.Terminal;
import dev.distillery.standalone.console.UserException;
import dev.distillery.standalone.console.Version;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code distillery evaluate}: how good a student is. */
@Command(
        name = "evaluate",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        description = {
            "Scores a student beside its teacher, on images and captions of this machine that it has not been trained on.",
            "teacher-match needs no other network: errors against the teacher by timestep, and a distance of the pictures.",
            "clip, fid and is draw pictures and compare them as BK-SDM's scripts, pytorch-fid and torch-fidelity do.",
            "Exit codes: 0 done, 2 bad arguments, 1 failed."
        })
public final class EvaluateCommand implements Callable<Integer> {
    @Option(
            names = "--model",
            paramLabel = "DIR",
            required = true,
            description = "The student: a diffusers folder, or that of its U-Net.")
    private Path model;

    @Option(
            names = "--teacher",
            paramLabel = "DIR",
            required = true,
            description =
                    "A diffusers folder; its encoders, auto-encoder and scheduler serve both, text encoders unless some learnt with the student.")
    private Path teacher;

    @Option(
            names = "--data",
            paramLabel = "PARQUET|FOLDER",
            required = true,
            description = "Images with captions, in any form that a run's data set may have.")
    private Path data;

    @Option(names = "--image", paramLabel = "COLUMN", defaultValue = "image", description = "Default: ${DEFAULT-VALUE}")
    private String image;

    @Option(
            names = "--caption",
            paramLabel = "COLUMN",
            defaultValue = "text",
            description = "Default: ${DEFAULT-VALUE}")
    private String caption;

    @Option(
            names = "--protocol",
            paramLabel = "nota",
            description =
                    "Published settings for all that is not given. nota is BK-SDM's: 30000 images, clip, fid and is,"
                            + " PNDM, 25 steps, guidance 7.5, seed 1234, drawn at 512 and scored at 256 px.")
    private Optional<String> published;

    @Option(
            names = "--scores",
            paramLabel = "NAME",
            split = ",",
            description = "teacher-match, clip, fid, is; default: teacher-match")
    private List<String> scores;

    @Option(
            names = "--images",
            paramLabel = "N",
            description = "How many pairs; image i is drawn with the seed + i. Default: 32")
    private Optional<Integer> images;

    @Option(
            names = "--first",
            paramLabel = "N",
            defaultValue = "0",
            description = "Position of the first pair, that of image N. Default: ${DEFAULT-VALUE}")
    private int first;

    @Option(
            names = "--size",
            paramLabel = "PX",
            description =
                    "Height and width of what is drawn: 512 for SD v1, 1024 for SDXL, 64 for the example's model.")
    private Optional<Integer> size;

    @Option(
            names = "--scored-size",
            paramLabel = "PX",
            description = "To which pictures are brought before CLIP and Inception see them; default: 256, or --size if"
                    + " that is less.")
    private Optional<Integer> scoredSize;

    @Option(
            names = "--scheduler",
            paramLabel = "euler|ddim|pndm",
            description = "With which both draw, on the teacher's noise; default: the teacher's own.")
    private Optional<String> scheduler;

    @Option(names = "--steps", paramLabel = "N", description = "Default: 25")
    private Optional<Integer> steps;

    @Option(names = "--guidance", paramLabel = "G", description = "Classifier-free guidance; 1 is none. Default: 7.5")
    private Optional<Double> guidance;

    @Option(names = "--seed", paramLabel = "N", description = "Default: 1234")
    private Optional<Long> seed;

    @Option(names = "--clip", paramLabel = "DIR", description = "For clip: a CLIPModel folder of transformers.")
    private Optional<Path> clip;

    @Option(
            names = "--inception",
            paramLabel = "FILE",
            description = "For fid and is: inception-2015-12-05.pt, which is a program and runs here.")
    private Optional<Path> inception;

    @Option(
            names = "--inception-sha256",
            paramLabel = "HEX",
            description = "The digest that this file must have; another is not run.")
    private Optional<String> inceptionSha256;

    @Option(
            names = "--real",
            paramLabel = "NPZ",
            description =
                    "For fid: statistics of real images as pytorch-fid saves them; default: of the data's images.")
    private Optional<Path> real;

    @Option(
            names = "--grid",
            paramLabel = "PNG",
            description = "Writes the first eight side by side: image of the data, teacher's picture, student's.")
    private Optional<Path> grid;

    @Mixin
    private OutputOption output;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        output.check();
        published.ifPresent(name -> Arguments.oneOf("--protocol", name, "nota"));
        Set<Score> wanted = wanted();
        HeldOutData pairs = pairs(wanted);
        Evaluation.Settings settings = settings(wanted);
        Optional<Path> gridFolder = grid.map(file -> Arguments.parent("--grid", file));
        QuietLogging.install();
        var terminal = Terminal.of(spec.commandLine().getErr());
        Digests digests = FolderDigests.of(settings, pairs, real);
        EvaluationReport report;
        Optional<RgbImage> shown = Optional.empty();
        try (var evaluation = new Evaluation(settings);
                HeldOutData.Reader images = pairs.open()) {
            var findings = new Findings();
            for (int from = 0; from < pairs.count(); from += Evaluation.PART_IMAGES) {
                int before = from;
                Evaluation.Evaluated next = evaluation.of(
                        images.next(Math.min(Evaluation.PART_IMAGES, pairs.count() - from)),
                        first + from,
                        done -> terminal.status(before + done + "/" + pairs.count() + " images"));
                findings.add(next.part());
                shown = shown.or(() -> Optional.of(next.grid()));
            }
            report = findings.report(wanted, real.map(Gaussian::readNpz), protocol(settings, pairs), digests);
        } catch (IllegalArgumentException | SafetensorsException | WeightsException e) {
            throw UserException.badInput(e.getMessage());
        } finally {
            terminal.clearStatus();
        }
        spec.commandLine().getOut().println(output.of(report, ReportText.of(report)));
        if (grid.isPresent()) {
            Files.createDirectories(gridFolder.orElseThrow());
            Files.write(grid.get(), shown.orElseThrow().png());
        }
        return 0;
    }

    private Set<Score> wanted() {
        try {
            return Score.of(chosen(Optional.ofNullable(scores), protocol -> protocol.scores, List.of("teacher-match")));
        } catch (IllegalArgumentException e) {
            throw UserException.badInput("--" + e.getMessage());
        }
    }

    private HeldOutData pairs(Set<Score> wanted) {
        int count = chosen(images, protocol -> protocol.images, 32);
        Arguments.between("--images", count, Score.fewestImages(wanted), 1_000_000);
        Arguments.between("--first", first, 0, Integer.MAX_VALUE - count);
        if (!Files.exists(data)) {
            throw UserException.badInput("--data: there is no " + data);
        }
        return new HeldOutData(data, image, caption, first, count);
    }

    private Evaluation.Settings settings(Set<Score> wanted) {
        boolean looks = wanted.contains(Score.FID) || wanted.contains(Score.IS);
        int px = size.or(() -> published().map(protocol -> protocol.size))
                .orElseThrow(() -> UserException.badInput("--size PX must be given, or --protocol"));
        int scoredPx = chosen(scoredSize, protocol -> protocol.scoredSize, Math.min(256, px));
        int passes = chosen(steps, protocol -> protocol.steps, 25);
        Arguments.between("--steps", passes, 1, 1000);
        Arguments.between("--size", px, 8, 4096);
        Arguments.between("--scored-size", scoredPx, 8, 4096);
        Path student = Arguments.unet(model, "--model");
        Arguments.unet(teacher, "--teacher");
        Arguments.file(teacher.resolve("model_index.json"), "--teacher " + teacher + " is not a diffusers folder");
        real.ifPresent(file -> Arguments.file(file, "--real"));
        return new Evaluation.Settings(
                teacher,
                student,
                SavedLora.textEncodersBeside(student),
                wanted,
                px,
                scoredPx,
                schedulerConfig(),
                passes,
                chosen(guidance, protocol -> protocol.guidance, 7.5),
                chosen(seed, protocol -> protocol.seed, 1234L),
                wanted.contains(Score.CLIP) ? Optional.of(given(clip, "--clip DIR", "clip")) : Optional.empty(),
                looks ? Optional.of(inceptionFile()) : Optional.empty());
    }

    private JsonNode schedulerConfig() {
        scheduler.ifPresent(name -> Arguments.oneOf("--scheduler", name, "euler", "ddim", "pndm"));
        Arguments.file(
                teacher.resolve("scheduler/scheduler_config.json"), "--teacher " + teacher + " has no scheduler");
        JsonNode own = Sampler.config(teacher);
        return scheduler
                .map(Sampler.Type::named)
                .or(() -> published().map(protocol -> protocol.scheduler))
                .<JsonNode>map(type -> type.from(own))
                .orElse(own);
    }

    private Evaluation.InceptionFile inceptionFile() {
        Path file = given(inception, "--inception FILE", "fid and is");
        Arguments.file(file, "--inception");
        return new Evaluation.InceptionFile(file, given(inceptionSha256, "--inception-sha256 HEX", "fid and is"));
    }

    private Optional<PublishedProtocol> published() {
        return published.map(name -> PublishedProtocol.valueOf(name.toUpperCase(Locale.ROOT)));
    }

    private <T> T chosen(Optional<T> given, Function<PublishedProtocol, T> ofProtocol, T otherwise) {
        return given.or(() -> published().map(ofProtocol)).orElse(otherwise);
    }

    private static <T> T given(Optional<T> value, String option, String scores) {
        return value.orElseThrow(() -> UserException.badInput(option + " must be given for " + scores));
    }

    private EvaluationReport.Protocol protocol(Evaluation.Settings settings, HeldOutData pairs) {
        return new EvaluationReport.Protocol(
                model.toString(),
                teacher.toString(),
                data.toString(),
                pairs.first(),
                pairs.count(),
                Sampler.Type.of(settings.scheduler()).className(),
                settings.steps(),
                settings.guidance(),
                settings.sizePx(),
                settings.scoredPx(),
                settings.seed(),
                settings.clip().map(Path::toString).orElse(null),
                real.map(Path::toString).orElse(null),
                Torch.describe());
    }
}
