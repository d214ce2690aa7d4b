package dev.distillery.standalone;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;

import dev.distillery.artifacts.ArtifactCorruptException;
import dev.distillery.artifacts.ArtifactMissingException;
import dev.distillery.artifacts.FolderWriter;
import dev.distillery.artifacts.Folders;
import dev.distillery.artifacts.Manifest;
import dev.distillery.artifacts.StoreRefusedException;
import dev.distillery.converter.Conversion;
import dev.distillery.converter.Options;
import dev.distillery.diffusion.lora.SavedLora;
import dev.distillery.diffusion.safetensors.SafetensorsException;
import dev.distillery.standalone.console.Arguments;
import dev.distillery.standalone.console.QuietLogging;
import dev.distillery.standalone.console.UserException;
import dev.distillery.standalone.console.Version;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code distillery convert}: a checkpoint as what other programs load. */
@Command(
        name = "convert",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        description = {
            "Converts a checkpoint into a folder that diffusers loads, and into one file for other interfaces.",
            "CHECKPOINT is the folder of a checkpoint or of a diffusers U-Net, or s3://bucket/prefix of a checkpoint.",
            "What its manifest.json tells is checked before anything is written; DIR appears when it is complete."
        })
final class ConvertCommand implements Callable<Integer> {
    @Parameters(paramLabel = "CHECKPOINT", description = "A folder, or s3://bucket/prefix.")
    private String checkpoint;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            required = true,
            description =
                    "The folder to write: a new or an empty one, or one that this command wrote, which is replaced.")
    private Path out;

    @Option(
            names = "--save",
            paramLabel = "WHAT",
            split = ",",
            defaultValue = "unet",
            description =
                    "unet, pipeline, single-file, kohya (of a LoRA), or several, parted by commas; the U-Net is always there. Default:"
                            + " ${DEFAULT-VALUE}")
    private Set<String> save = new LinkedHashSet<>();

    @Option(
            names = "--dtype",
            paramLabel = "fp32|fp16|bf16",
            defaultValue = "fp16",
            description = "Of all weights. Default: ${DEFAULT-VALUE}")
    private String dtype;

    @Option(
            names = "--weights",
            paramLabel = "raw|ema",
            defaultValue = "raw",
            description = "The student's, or their average. Default: ${DEFAULT-VALUE}")
    private String weights;

    @Option(
            names = "--variant",
            paramLabel = "NAME",
            description = "Part of the names of the files of weights, such as fp16.")
    private Optional<String> variant;

    @Option(
            names = "--max-shard-size",
            paramLabel = "SIZE",
            defaultValue = Options.MAX_SHARD_SIZE,
            description = "Larger weights are parted into several files. Default: ${DEFAULT-VALUE}")
    private String maxShardSize;

    @Option(
            names = "--teacher",
            paramLabel = "DIR",
            description =
                    "Whose other parts make a pipeline or a single file, or that a LoRA was trained on: a diffusers folder,"
                            + " s3://bucket/prefix or hf://owner/name.")
    private Optional<String> teacher;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        Arguments.oneOf("--weights", weights, "raw", "ema");
        QuietLogging.install();
        Path scratch = Files.createTempDirectory("distillery-convert");
        try {
            Options options = new Options(save, dtype, variant, maxShardSize);
            if (options.needsTeacher() && teacher.isEmpty()) {
                throw UserException.badInput("--save " + String.join(",", save)
                        + " needs the teacher's other parts: --teacher DIR, s3://bucket/prefix or hf://owner/name");
            }
            try (FolderWriter writer = FolderWriter.of(out)) {
                var from = CheckpointFolder.of(
                        checkpoint, weights, StoreSettings.buckets(System.getenv()), scratch.resolve("checkpoint"));
                boolean lora = SavedLora.isIn(from.unet());
                if (lora && teacher.isEmpty()) {
                    throw UserException.badInput(
                            checkpoint + " holds a LoRA, which is merged into the model that it was trained"
                                    + " on: --teacher DIR, s3://bucket/prefix or hf://owner/name");
                }
                Path parts = options.needsTeacher() || lora
                        ? TeacherFolders.of(teacher.orElseThrow(), lora, scratch.resolve("teacher"))
                        : null;
                var conversion = new Conversion(name(), from.description(), from.unet(), parts, from.resolution());
                tell(conversion.write(options, from.about(), writer));
            }
            return 0;
        } catch (IllegalArgumentException
                | SafetensorsException
                | ArtifactMissingException
                | ArtifactCorruptException
                | StoreRefusedException e) {
            throw UserException.badInput(e.getMessage());
        } finally {
            Folders.delete(scratch);
        }
    }

    private String name() {
        return out.toAbsolutePath().normalize().getFileName().toString();
    }

    private void tell(Manifest written) {
        long bytes =
                written.files().stream().mapToLong(Manifest.FileEntry::size).sum();
        spec.commandLine()
                .getOut()
                .printf(
                        Locale.ROOT,
                        "%s: %,d parameters, %s, %d files, %.1f MB%nDiffusers: %s%n",
                        out,
                        ((Number) written.about().get("parameters")).longValue(),
                        dtype,
                        written.files().size(),
                        bytes / 1e6,
                        Loading.of(out));
        if (save.contains(Options.SINGLE_FILE) && written.about().get("comfyUi").equals(false)) {
            spec.commandLine()
                    .getOut()
                    .println(
                            "ComfyUI does not recognise a U-Net of this layout in a single file; diffusers reads it with the"
                                    + " folder as its config.");
        }
    }
}
