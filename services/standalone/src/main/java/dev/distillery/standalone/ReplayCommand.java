package dev.distillery.standalone;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;

import dev.distillery.diffusion.distill.Losses;
import dev.distillery.diffusion.distill.Replay;
import dev.distillery.diffusion.safetensors.SafetensorsException;
import dev.distillery.diffusion.tensor.Precision;
import dev.distillery.standalone.console.Arguments;
import dev.distillery.standalone.console.QuietLogging;
import dev.distillery.standalone.console.UserException;
import dev.distillery.standalone.console.Version;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code distillery replay}: the numbers of one distillation step. */
@Command(
        name = "replay",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        description = {
            "Computes one distillation step on a given batch and writes losses, predictions and every gradient.",
            "BATCH holds latents, noise, timesteps, prompt_embeds and, for SDXL, text_embeds and time_ids (safetensors)."
        })
final class ReplayCommand implements Callable<Integer> {
    @Option(names = "--teacher", paramLabel = "DIR", required = true, description = "A diffusers folder.")
    private Path teacher;

    @Option(names = "--layout", paramLabel = "NAME", required = true, description = "Such as small or tiny.")
    private String layout;

    @Option(names = "--batch", paramLabel = "FILE", required = true)
    private Path batch;

    @Option(names = "--out", paramLabel = "FILE", required = true, description = "The safetensors file to write.")
    private Path out;

    @Option(
            names = "--precision",
            paramLabel = "fp32|bf16",
            defaultValue = "fp32",
            description = "Of the arithmetic, default ${DEFAULT-VALUE}.")
    private String precision;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        Arguments.oneOf("--precision", precision, "fp32", "bf16");
        Arguments.unet(teacher, "--teacher");
        Arguments.file(
                teacher.resolve("scheduler/scheduler_config.json"), "--teacher " + teacher + " has no scheduler");
        Arguments.file(batch, "--batch");
        Files.createDirectories(Arguments.parent("--out", out));
        QuietLogging.install();
        try {
            Losses losses =
                    Replay.step(teacher, layout, Precision.valueOf(precision.toUpperCase(Locale.ROOT)), batch, out);
            spec.commandLine()
                    .getOut()
                    .println(String.format(
                            Locale.ROOT,
                            "{\"loss_sd\": %s, \"loss_kd\": %s, \"loss_features\": %s}",
                            losses.task(),
                            losses.output(),
                            losses.feature()));
            return 0;
        } catch (IllegalArgumentException | SafetensorsException e) {
            throw UserException.badInput(e.getMessage());
        }
    }
}
