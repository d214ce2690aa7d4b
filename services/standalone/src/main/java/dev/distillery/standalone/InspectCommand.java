package dev.distillery.standalone;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import dev.distillery.diffusion.distill.Latency;
import dev.distillery.diffusion.distill.Layouts;
import dev.distillery.diffusion.distill.NetworkSizes;
import dev.distillery.diffusion.tensor.Precision;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.unet.StepCost.InputSize;
import dev.distillery.diffusion.unet.UNetConfig;
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

/** {@code distillery inspect}: the sizes that people quote. */
@Command(
        name = "inspect",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        description = {
            "Tells a U-Net's parameters, the operations of a forward pass and the size of its weights, beside its teacher's.",
            "Operations are multiplications with additions, counted in two ways: with the products inside attention, as",
            "PyTorch's flop counter does (half of its number), and without them, as BK-SDM's script does."
        })
final class InspectCommand implements Callable<Integer> {
    @Parameters(
            paramLabel = "MODEL",
            description =
                    "A diffusers folder, a single safetensors file, or the name of a family: sdxl, sd1 or sd2. No weight is read.")
    private String model;

    @Option(names = "--layout", paramLabel = "NAME", description = "Its student of this layout, beside it.")
    private Optional<String> layout;

    @Option(
            names = "--size",
            paramLabel = "PX",
            description = "Of the images; default: 1024 for SDXL, 768 and 512 for SD v2 and v1.")
    private Optional<Integer> size;

    @Option(names = "--latency", description = "Measures a forward pass in float32 on this machine, too.")
    private boolean latency;

    @Mixin
    private OutputOption output;

    @Spec
    private CommandSpec spec;

    /** @param seconds of a forward pass of one image; null if not measured */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Sizes(String name, @JsonUnwrapped NetworkSizes network, Double seconds) {}

    @Override
    public Integer call() throws IOException {
        output.check();
        QuietLogging.install();
        ModelArgument found = ModelArgument.of("MODEL", model);
        UNetConfig teacher = found.unet();
        int pixels = size.orElseGet(() -> usualSize(found));
        int multiple = found.pixelsPerLatent() << (teacher.levels() - 1);
        if (pixels < multiple || pixels % multiple != 0) {
            throw UserException.badInput("--size must be a multiple of " + multiple + " but is " + pixels);
        }
        Map<String, UNetConfig> unets = new LinkedHashMap<>();
        unets.put("teacher", teacher);
        layout.ifPresent(name ->
                unets.put("student", ModelArgument.student(teacher, name).config()));
        Map<String, Sizes> networks = sizes(unets, pixels, found.pixelsPerLatent());
        spec.commandLine().getOut().println(output.of(networks, text(networks, pixels)));
        return 0;
    }

    private static int usualSize(ModelArgument model) {
        int latent = model.unet().json().path("sample_size").asInt(0);
        if (latent > 0) {
            return latent * model.pixelsPerLatent();
        }
        return switch (Layouts.family(model.unet())) {
            case "sdxl" -> 1024;
            case "sd2" -> 768;
            default -> 512;
        };
    }

    private Map<String, Sizes> sizes(Map<String, UNetConfig> unets, int pixels, int pixelsPerLatent) {
        InputSize in = NetworkSizes.input(pixels, pixelsPerLatent);
        List<Double> seconds = latency
                ? Latency.seconds(List.copyOf(unets.values()), in, Precision.FP32, Torch.defaultDevice())
                : List.of();
        Map<String, Sizes> sizes = new LinkedHashMap<>();
        unets.forEach((role, unet) -> sizes.put(
                role,
                new Sizes(
                        role.equals("teacher") ? model : layout.orElseThrow(),
                        NetworkSizes.of(unet, pixels, pixelsPerLatent),
                        latency ? seconds.get(sizes.size()) : null)));
        return sizes;
    }

    private String text(Map<String, Sizes> networks, int pixels) {
        var text = new StringBuilder();
        Sizes first = networks.get("teacher");
        NetworkSizes teacher = first.network;
        for (Sizes each : networks.values()) {
            NetworkSizes network = each.network;
            text.append(String.format(Locale.ROOT, "%s at %d px%n", each.name, pixels));
            row(text, "parameters", "%,.0f", network.parameters(), teacher.parameters(), 1);
            row(text, "MACs", "%,.1f G", network.macs(), teacher.macs(), 1e9);
            row(text, "MACs without attention", "%,.1f G", network.layerMacs(), teacher.layerMacs(), 1e9);
            network.bytes()
                    .forEach((type, bytes) -> row(
                            text,
                            "weights in " + type,
                            "%,.2f GB",
                            bytes,
                            teacher.bytes().get(type),
                            1e9));
            if (each.seconds != null) {
                row(text, "seconds a pass, fp32", "%.3g", each.seconds, first.seconds, 1);
            }
        }
        return (latency ? text.append("measured on ").append(Torch.describe()) : text)
                .toString()
                .stripTrailing();
    }

    private static void row(
            StringBuilder text, String name, String pattern, double value, double ofTeacher, double unit) {
        String portion = value == ofTeacher ? "" : String.format(Locale.ROOT, "  %.0f %%", 100 * value / ofTeacher);
        text.append(String.format(
                Locale.ROOT, "  %-24s%16s%s%n", name, String.format(Locale.ROOT, pattern, value / unit), portion));
    }
}
