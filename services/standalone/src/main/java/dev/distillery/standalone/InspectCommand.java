package dev.distillery.standalone;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;

import ai.djl.Device;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import dev.distillery.diffusion.distill.Families;
import dev.distillery.diffusion.distill.Layouts;
import dev.distillery.diffusion.distill.StepTime;
import dev.distillery.diffusion.distill.Student;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.unet.StepCost;
import dev.distillery.diffusion.unet.StepCost.InputSize;
import dev.distillery.diffusion.unet.UNetConfig;
import dev.distillery.diffusion.vae.VaeConfig;
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
    private static final int USUAL_PIXELS_PER_LATENT = 8;
    private static final int TOKENS = 77;

    @Parameters(
            paramLabel = "MODEL",
            description = "A diffusers folder, or the name of a family: sdxl, sd1 or sd2. No weight is read.")
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

    /**
     * @param macs with the products inside attention
     * @param layerMacs without them
     * @param bytes of the weights by type
     * @param seconds of a forward pass of one image; null if not measured
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Sizes(String name, long parameters, long macs, long layerMacs, Map<String, Long> bytes, Double seconds) {}

    @Override
    public Integer call() throws JsonProcessingException {
        output.check();
        QuietLogging.install();
        UNetConfig teacher = config();
        int pixels = size.orElseGet(() -> usualSize(teacher));
        int multiple = pixelsPerLatent() << (teacher.levels() - 1);
        if (pixels < multiple || pixels % multiple != 0) {
            throw UserException.badInput("--size must be a multiple of " + multiple + " but is " + pixels);
        }
        int side = pixels / pixelsPerLatent();
        var in = new InputSize(1, side, side, TOKENS);
        Map<String, Sizes> networks = new LinkedHashMap<>();
        networks.put("teacher", sizes(model, teacher, in));
        layout.ifPresent(name -> networks.put("student", sizes(name, student(teacher, name), in)));
        spec.commandLine().getOut().println(output.of(networks, text(networks, pixels)));
        return 0;
    }

    private UNetConfig config() {
        if (Families.NAMES.contains(model)) {
            return Families.unet(model);
        }
        if (!Files.exists(Path.of(model))) {
            throw UserException.badInput("MODEL must be a diffusers folder or one of "
                    + String.join(", ", Families.NAMES) + " but is " + model);
        }
        return UNetConfig.read(Arguments.unet(Path.of(model), "MODEL"));
    }

    private static UNetConfig student(UNetConfig teacher, String layout) {
        try {
            return Student.of(teacher, Layouts.named(teacher, layout)).config();
        } catch (IllegalArgumentException e) {
            throw UserException.badInput("--layout " + layout + ": " + e.getMessage());
        }
    }

    private int pixelsPerLatent() {
        Path vae = Path.of(model).resolve("vae");
        return Files.exists(vae.resolve("config.json")) ? VaeConfig.read(vae).scale() : USUAL_PIXELS_PER_LATENT;
    }

    private int usualSize(UNetConfig teacher) {
        int latent = teacher.json().path("sample_size").asInt(0);
        if (latent > 0) {
            return latent * pixelsPerLatent();
        }
        return switch (Layouts.family(teacher)) {
            case "sdxl" -> 1024;
            case "sd2" -> 768;
            default -> 512;
        };
    }

    private Sizes sizes(String name, UNetConfig config, InputSize in) {
        StepCost cost = StepCost.of(config, in);
        long parameters = Student.parameterCount(config);
        Map<String, Long> bytes = new LinkedHashMap<>();
        bytes.put("fp32", 4 * parameters);
        bytes.put("fp16", 2 * parameters);
        Device device = Torch.defaultDevice();
        return new Sizes(
                name,
                parameters,
                cost.allMacs(),
                cost.macs(),
                bytes,
                latency ? StepTime.prediction(config, in, device) : null);
    }

    private String text(Map<String, Sizes> networks, int pixels) {
        var text = new StringBuilder();
        Sizes teacher = networks.get("teacher");
        for (Sizes network : networks.values()) {
            text.append(String.format(Locale.ROOT, "%s at %d px%n", network.name, pixels));
            row(text, "parameters", "%,.0f", network.parameters, teacher.parameters, 1);
            row(text, "MACs", "%,.1f G", network.macs, teacher.macs, 1e9);
            row(text, "MACs without attention", "%,.1f G", network.layerMacs, teacher.layerMacs, 1e9);
            network.bytes.forEach(
                    (type, bytes) -> row(text, "weights in " + type, "%,.2f GB", bytes, teacher.bytes.get(type), 1e9));
            if (network.seconds != null) {
                row(text, "seconds a pass, fp32", "%.3g", network.seconds, teacher.seconds, 1);
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
