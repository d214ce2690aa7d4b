package dev.distillery.standalone;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.distillery.diffusion.clip.PromptEncoder;
import dev.distillery.diffusion.image.RgbImage;
import dev.distillery.diffusion.lora.SavedLora;
import dev.distillery.diffusion.sample.TextToImage;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.unet.UNet2DCondition;
import dev.distillery.standalone.console.Arguments;
import dev.distillery.standalone.console.QuietLogging;
import dev.distillery.standalone.console.UserException;
import dev.distillery.standalone.console.Version;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code distillery sample}: one picture, drawn by a model or by its student. */
@Command(
        name = "sample",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        description = "Draws one picture with a diffusers folder, or with a student's U-Net in its place.")
final class SampleCommand implements Callable<Integer> {
    @Option(names = "--model", paramLabel = "DIR", required = true, description = "A diffusers folder.")
    private Path model;

    @Option(
            names = "--unet",
            paramLabel = "DIR",
            description =
                    "Another U-Net: the folder that holds its config.json, or unet/config.json. Text encoders that learnt with it"
                            + " are used, too.")
    private Path unet;

    @Option(names = "--prompt", paramLabel = "TEXT", required = true)
    private String prompt;

    @Option(names = "--steps", paramLabel = "N", defaultValue = "30", description = "Default: ${DEFAULT-VALUE}")
    private int steps;

    @Option(
            names = "--size",
            paramLabel = "PX",
            required = true,
            description = "Height and width in pixels: 1024 for SDXL, 64 for the example's model.")
    private int size;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "0", description = "Default: ${DEFAULT-VALUE}")
    private long seed;

    @Option(
            names = "--guidance",
            paramLabel = "G",
            defaultValue = "5",
            description = "Classifier-free guidance; 1 is none. Default: ${DEFAULT-VALUE}")
    private double guidance;

    @Option(names = "--out", paramLabel = "PNG", required = true, description = "The file to write.")
    private Path out;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        Arguments.between("--steps", steps, 1, 1000);
        Arguments.between("--size", size, 8, 4096);
        Path networkFolder = Arguments.unet(unet == null ? model : unet, unet == null ? "--model" : "--unet");
        Arguments.file(model.resolve("model_index.json"), "--model " + model + " is not a diffusers folder");
        Path folder = Arguments.parent("--out", out);
        QuietLogging.install();
        byte[] png;
        try (TextToImage textToImage = TextToImage.load(model);
                NDManager scope = Torch.newManager()) {
            UNet2DCondition network = UNet2DCondition.load(networkFolder, scope);
            PromptEncoder prompts = SavedLora.textEncodersBeside(networkFolder)
                    .map(encoders -> PromptEncoder.load(encoders, model, scope))
                    .orElseGet(textToImage::promptEncoder);
            var settings = new TextToImage.Settings(List.of(prompt), size, steps, guidance, seed);
            NDArray pixels = textToImage.render(network, prompts, settings, scope);
            png = RgbImage.fromChw(pixels.mul(2).sub(1).toFloatArray(), size, size)
                    .png();
        } catch (IllegalArgumentException e) {
            throw UserException.badInput(e.getMessage());
        }
        Files.createDirectories(folder);
        Files.write(out, png);
        spec.commandLine().getOut().println(out);
        return 0;
    }
}
