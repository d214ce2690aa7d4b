package dev.distillery.planning;

import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

import ai.djl.Device;
import dev.distillery.diffusion.clip.ClipConfig;
import dev.distillery.diffusion.distill.MemoryEstimate;
import dev.distillery.diffusion.distill.Student;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.unet.StepCost.InputSize;
import dev.distillery.diffusion.unet.UNetConfig;
import dev.distillery.events.TrainRequest;
import dev.distillery.events.Violation;

/**
 * Whether training fits into its device's memory, said before the device is taken; and if not, what would help most.
 *
 * @param textEncoders the teacher's, by their folders' names
 * @param pixelsPerLatent sides of an image in those of its latents, 8 with SD's auto-encoders
 * @param devices over which a batch is split
 */
public record MemoryCheck(UNetConfig teacher, Map<String, ClipConfig> textEncoders, int pixelsPerLatent, int devices) {
    private static final int TOKENS = 77; // CLIP's
    private static final int HELPS_NAMED = 3;

    /** The memory of a device; on the CPU, the machine's or the container's. */
    public record DeviceMemory(boolean gpu, long bytes) {
        public static DeviceMemory of(Device device) {
            return new DeviceMemory(device.isGpu(), Torch.memoryBytes(device));
        }
    }

    /** A setting that would need less. */
    private record Help(String setting, String patch, long bytes) {}

    /** Of a request that the teacher can do. */
    public MemoryEstimate estimate(TrainRequest request, boolean onGpu) {
        return MemoryEstimate.of(
                teacher,
                Student.of(teacher, TrainingSettings.layout(request, teacher)),
                TrainingSettings.distillation(request),
                TrainingSettings.lora(request),
                TrainingSettings.textLora(request)
                        .map(lora -> new MemoryEstimate.Text(
                                textEncoders,
                                lora,
                                TrainingSettings.prompts(request.subject()).size())),
                microBatch(request),
                onGpu);
    }

    /** What is in memory at once. */
    public InputSize microBatch(TrainRequest request) {
        int side = request.encode().resolution() / pixelsPerLatent;
        int pairs = (request.train().batch() + devices - 1) / devices;
        return new InputSize(request.subject().preservesPrior() ? 2 * pairs : pairs, side, side, TOKENS);
    }

    /** Empty if it fits; else the estimate, and the settings that would help most. */
    public Optional<Violation> violation(TrainRequest request, DeviceMemory device) {
        MemoryEstimate estimate = estimate(request, device.gpu);
        if (estimate.total() <= device.bytes) {
            return Optional.empty();
        }
        List<Help> helps = helps(request, device.gpu, estimate.total());
        String advice = helps.stream()
                .map(help -> help.setting + " (then " + gigabytes(help.bytes) + ")")
                .collect(Collectors.joining(", "));
        TrainRequest all = request;
        for (Help help : helps) {
            all = patched(all, help.patch);
        }
        return Optional.of(new Violation(
                "train",
                gigabytes(estimate.total()) + ": " + describe(estimate),
                "must need at most the " + gigabytes(device.bytes) + " that the device has; most would help " + advice
                        + "; together they make it "
                        + gigabytes(estimate(all, device.gpu).total())));
    }

    private List<Help> helps(TrainRequest request, boolean onGpu, long now) {
        TrainRequest.Train train = request.train();
        int accumulate = train.accumulate() * train.batch();
        Map<String, String> settings = Map.of(
                "train.gradientCheckpointing: true",
                "{'train': {'gradientCheckpointing': true}}",
                "train.precision: bf16",
                "{'train': {'precision': 'bf16'}}",
                "train.optimizer.type: adafactor",
                "{'train': {'optimizer': {'type': 'adafactor'}}}",
                "train.batch: 1 with train.accumulate: " + accumulate,
                "{'train': {'batch': 1, 'accumulate': " + accumulate + "}}",
                "train.ema.device: cpu",
                "{'train': {'ema': {'device': 'cpu'}}}",
                "encode.resolution: " + request.encode().resolution() / 2,
                "{'encode': {'resolution': " + request.encode().resolution() / 2 + "}}");
        return settings.entrySet().stream()
                .map(setting -> new Help(
                        setting.getKey(),
                        setting.getValue(),
                        estimate(patched(request, setting.getValue()), onGpu).total()))
                .filter(help -> help.bytes < now)
                .sorted(Comparator.comparing(Help::bytes).thenComparing(Help::setting))
                .limit(HELPS_NAMED)
                .toList();
    }

    private static TrainRequest patched(TrainRequest request, String patch) {
        return request.patched(patch.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
    }

    /** The parts that are there, such as {@code teacher 5.14 GB, student 6.87 GB}. */
    public static String describe(MemoryEstimate estimate) {
        return estimate.parts().entrySet().stream()
                .filter(part -> part.getValue() > 0)
                .map(part -> part.getKey() + " " + gigabytes(part.getValue()))
                .collect(Collectors.joining(", "));
    }

    private static String gigabytes(long bytes) {
        return String.format(Locale.ROOT, "%.2f GB", bytes / 1e9);
    }
}
