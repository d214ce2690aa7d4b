package dev.distillery.standalone;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.distillery.diffusion.distill.MemoryEstimate;
import dev.distillery.diffusion.distill.Student;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.unet.StepCost;
import dev.distillery.diffusion.unet.UNetConfig;
import dev.distillery.events.TrainRequest;
import dev.distillery.planning.MemoryCheck;
import dev.distillery.planning.MemoryCheck.DeviceMemory;
import dev.distillery.planning.TrainingSettings;
import dev.distillery.standalone.console.Progress;
import dev.distillery.trainer.run.RunForecast;

/**
 * What {@code distillery validate} tells of a request that can be run.
 *
 * @param teacher null if it was not looked at, as is what follows from it
 * @param pairs of the data set; null if it was not looked at
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record Validation(
        String run,
        Network teacher,
        Network student,
        Integer pairs,
        Memory memory,
        RunForecast time,
        String measuredOn) {

    /** @param macs operations of a forward pass on a micro-batch, attention among them */
    record Network(String name, long parameters, long macs) {
        static Network of(String name, UNetConfig config, StepCost.InputSize in) {
            return new Network(
                    name,
                    Student.parameterCount(config),
                    StepCost.of(config, in).allMacs());
        }
    }

    /** In bytes. */
    record Memory(long estimate, long device, Map<String, Long> parts) {}

    static Validation of(
            TrainRequest request,
            Optional<MemoryCheck> check,
            Optional<Integer> pairs,
            DeviceMemory device,
            Optional<RunForecast> time) {
        if (check.isEmpty()) {
            return new Validation(request.run(), null, null, pairs.orElse(null), null, null, null);
        }
        UNetConfig teacher = check.get().teacher();
        UNetConfig student =
                Student.of(teacher, TrainingSettings.layout(request, teacher)).config();
        StepCost.InputSize in = check.get().microBatch(request);
        MemoryEstimate memory = check.get().estimate(request, device.gpu());
        return new Validation(
                request.run(),
                Network.of(request.teacher().model(), teacher, in),
                Network.of(request.student().layout(), student, in),
                pairs.orElse(null),
                new Memory(memory.total(), device.bytes(), memory.parts()),
                time.orElse(null),
                time.isPresent() ? Torch.describe() : null);
    }

    /** For people. */
    String text() {
        var text = new StringBuilder();
        if (teacher == null) {
            line(text, "teacher", "not looked at: it is in a store; set " + StoreSettings.NAMES);
        } else {
            line(
                    text,
                    "teacher",
                    "%s: %,d parameters, %.1f GMACs a pass",
                    teacher.name,
                    teacher.parameters,
                    teacher.macs / 1e9);
            line(
                    text,
                    "student",
                    "%s: %,d parameters (%.0f %%), %.1f GMACs (%.0f %%)",
                    student.name,
                    student.parameters,
                    100.0 * student.parameters / teacher.parameters,
                    student.macs / 1e9,
                    100.0 * student.macs / teacher.macs);
        }
        line(text, "data", pairs == null ? "not looked at: it is in a store" : "%,d pairs", pairs);
        if (memory != null) {
            line(text, "memory", "%.2f of %.2f GB", memory.estimate / 1e9, memory.device / 1e9);
            memory.parts.forEach((part, bytes) -> {
                if (bytes > 0) {
                    line(text, "", "  %-12s%6.2f GB", part, bytes / 1e9);
                }
            });
        }
        if (time != null) {
            line(
                    text,
                    "time",
                    "%s here (%s): %d steps of %.3g s, %s; evaluation %s, samples %s%s; images and encoding not counted",
                    Progress.time(time.total()),
                    measuredOn,
                    time.steps(),
                    time.stepSeconds(),
                    Progress.time(time.training()),
                    Progress.time(time.evaluation()),
                    Progress.time(time.samples()),
                    time.classPictures() == 0 ? "" : ", class pictures " + Progress.time(time.classPictures()));
        }
        return text.toString().stripTrailing();
    }

    private static void line(StringBuilder text, String name, String pattern, Object... values) {
        text.append(String.format(Locale.ROOT, "  %-9s" + pattern + "%n", prepend(name, values)));
    }

    private static Object[] prepend(String name, Object[] values) {
        Object[] all = new Object[values.length + 1];
        all[0] = name;
        System.arraycopy(values, 0, all, 1, values.length);
        return all;
    }
}
