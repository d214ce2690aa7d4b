package dev.distillery.standalone.evaluation;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.diffusion.evaluate.InceptionScore;
import dev.distillery.diffusion.safetensors.SafetensorsException;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.tensor.WeightsException;
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
            "clip, fid and is draw pictures and compare them as BK-SDM's scripts, pytorch-fid and torch-fidelity do."
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
            description = "A diffusers folder; its encoders, auto-encoder and scheduler serve both.")
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
            names = "--scores",
            paramLabel = "NAME",
            split = ",",
            defaultValue = "teacher-match",
            description = "teacher-match, clip, fid, is; default: ${DEFAULT-VALUE}")
    private List<String> scores;

    @Option(
            names = "--images",
            paramLabel = "N",
            defaultValue = "32",
            description = "How many pairs; image i is drawn with the seed + i. Default: ${DEFAULT-VALUE}")
    private int images;

    @Option(
            names = "--first",
            paramLabel = "N",
            defaultValue = "0",
            description = "Position of the first pair, that of image N. Default: ${DEFAULT-VALUE}")
    private int first;

    @Option(
            names = "--size",
            paramLabel = "PX",
            required = true,
            description =
                    "Height and width of what is drawn: 512 for SD v1, 1024 for SDXL, 64 for the example's model.")
    private int size;

    @Option(
            names = "--scored-size",
            paramLabel = "PX",
            description = "To which pictures are brought before CLIP and Inception see them; default: 256, or --size if"
                    + " that is less.")
    private Optional<Integer> scoredSize;

    @Option(names = "--steps", paramLabel = "N", defaultValue = "25", description = "Default: ${DEFAULT-VALUE}")
    private int steps;

    @Option(
            names = "--guidance",
            paramLabel = "G",
            defaultValue = "7.5",
            description = "Classifier-free guidance; 1 is none. Default: ${DEFAULT-VALUE}")
    private double guidance;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "1234", description = "Default: ${DEFAULT-VALUE}")
    private long seed;

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

    @Mixin
    private OutputOption output;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        output.check();
        Evaluation.Settings settings = settings();
        QuietLogging.install();
        List<HeldOutImage> pairs = HeldOutImage.read(data, image, caption, first, images);
        var terminal = Terminal.of(spec.commandLine().getErr());
        EvaluationReport report;
        try (var evaluation = new Evaluation(settings)) {
            report = evaluation.of(
                    pairs, first, protocol(settings), done -> terminal.status(done + "/" + images + " images"));
        } catch (IllegalArgumentException | SafetensorsException | WeightsException e) {
            throw UserException.badInput(e.getMessage());
        } finally {
            terminal.clearStatus();
        }
        spec.commandLine().getOut().println(output.of(report, report.text()));
        return 0;
    }

    private Evaluation.Settings settings() {
        Set<Score> wanted = Score.of(scores);
        boolean looks = wanted.contains(Score.FID) || wanted.contains(Score.IS);
        int fewest = wanted.contains(Score.IS) ? InceptionScore.SPLITS : wanted.contains(Score.FID) ? 2 : 1;
        Arguments.between("--images", images, fewest, 1_000_000);
        Arguments.between("--first", first, 0, Integer.MAX_VALUE - images);
        Arguments.between("--steps", steps, 1, 1000);
        Arguments.between("--size", size, 8, 4096);
        Arguments.between("--scored-size", scoredSize.orElse(size), 8, 4096);
        Path student = Arguments.unet(model, "--model");
        Arguments.unet(teacher, "--teacher");
        Arguments.file(teacher.resolve("model_index.json"), "--teacher " + teacher + " is not a diffusers folder");
        if (!Files.exists(data)) {
            throw UserException.badInput("--data: there is no " + data);
        }
        real.ifPresent(file -> Arguments.file(file, "--real"));
        return new Evaluation.Settings(
                teacher,
                student,
                wanted,
                size,
                scoredSize.orElse(Math.min(256, size)),
                steps,
                guidance,
                seed,
                wanted.contains(Score.CLIP) ? Optional.of(given(clip, "--clip DIR", "clip")) : Optional.empty(),
                looks ? Optional.of(inceptionFile()) : Optional.empty(),
                real);
    }

    private Evaluation.InceptionFile inceptionFile() {
        Path file = given(inception, "--inception FILE", "fid and is");
        Arguments.file(file, "--inception");
        return new Evaluation.InceptionFile(file, given(inceptionSha256, "--inception-sha256 HEX", "fid and is"));
    }

    private static <T> T given(Optional<T> value, String option, String scores) {
        return value.orElseThrow(() -> UserException.badInput(option + " must be given for " + scores));
    }

    private EvaluationReport.Protocol protocol(Evaluation.Settings settings) throws IOException {
        Path scheduler = teacher.resolve("scheduler/scheduler_config.json");
        Arguments.file(scheduler, "--teacher " + teacher + " has no scheduler");
        return new EvaluationReport.Protocol(
                model.toString(),
                teacher.toString(),
                data.toString(),
                first,
                images,
                new ObjectMapper()
                        .readTree(Files.readAllBytes(scheduler))
                        .path("_class_name")
                        .asText(),
                steps,
                guidance,
                size,
                settings.scoredPx(),
                seed,
                settings.clip().map(Path::toString).orElse(null),
                settings.inception().map(Evaluation.InceptionFile::sha256).orElse(null),
                real.map(Path::toString).orElse(null),
                Torch.describe());
    }
}
