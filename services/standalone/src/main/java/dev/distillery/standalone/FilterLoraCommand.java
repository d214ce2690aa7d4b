package dev.distillery.standalone;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.Callable;

import dev.distillery.diffusion.distill.Student;
import dev.distillery.diffusion.safetensors.SafetensorsException;
import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.diffusion.singlefile.StudentLora;
import dev.distillery.diffusion.unet.UNetConfig;
import dev.distillery.standalone.console.Arguments;
import dev.distillery.standalone.console.OutputOption;
import dev.distillery.standalone.console.QuietLogging;
import dev.distillery.standalone.console.UserException;
import dev.distillery.standalone.console.Version;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code distillery filter-lora}: a teacher's LoRA, for its student. */
@Command(
        name = "filter-lora",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        description = {
            "Makes of a LoRA for a teacher one for its student: drops the layers that the student has not, and gives the others"
                    + " the student's names.",
            "Files of diffusers, peft and kohya's scripts are read; the result is of the same kind. How good it is, is for"
                    + " you to see: the other layers were not trained to go without those."
        },
        footerHeading = "%nExamples:%n",
        footer =
                "  distillery filter-lora pixel-art.safetensors --teacher sdxl --layout small --out pixel-art-small.safetensors")
final class FilterLoraCommand implements Callable<Integer> {
    @Parameters(paramLabel = "LORA", description = "The safetensors file.")
    private Path lora;

    @Option(
            names = "--teacher",
            paramLabel = "MODEL",
            required = true,
            description = "That it was made for: a diffusers folder, a single file, or a family: sdxl, sd1 or sd2.")
    private String teacher;

    @Option(names = "--layout", paramLabel = "NAME", required = true, description = "The student's.")
    private String layout;

    @Option(names = "--out", paramLabel = "FILE", required = true, description = "The file to write.")
    private Path out;

    @Mixin
    private OutputOption output;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        output.check();
        QuietLogging.install();
        Arguments.file(lora, "LORA cannot be read");
        Path folder = Arguments.parent("--out", out);
        UNetConfig config = ModelArgument.of("--teacher", teacher).unet();
        Student student = ModelArgument.student(config, layout);
        try (SafetensorsFile file = SafetensorsFile.open(lora)) {
            StudentLora filtered = StudentLora.of(file, config, student);
            if (filtered.kept().isEmpty()) {
                throw UserException.badInput(lora + " adapts no layer that the layout '" + layout + "' has");
            }
            Files.createDirectories(folder);
            Path part = out.resolveSibling(out.getFileName() + ".part");
            filtered.write(
                    file,
                    FileChannel.open(
                            part,
                            StandardOpenOption.CREATE,
                            StandardOpenOption.TRUNCATE_EXISTING,
                            StandardOpenOption.WRITE));
            Files.move(part, out, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
            spec.commandLine().getOut().println(output.of(filtered, inWords(filtered)));
        } catch (SafetensorsException e) { // names the file itself
            throw UserException.badInput(e.getMessage());
        } catch (IllegalArgumentException e) {
            throw UserException.badInput(lora + ": " + e.getMessage());
        }
        return 0;
    }

    private String inWords(StudentLora filtered) {
        return out + ": " + filtered.kept().size() + " layers kept, "
                + filtered.dropped().size() + " dropped"
                + (filtered.dropped().isEmpty() ? "" : ":\n  " + String.join("\n  ", filtered.dropped()));
    }
}
