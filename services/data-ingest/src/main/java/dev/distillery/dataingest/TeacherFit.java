package dev.distillery.dataingest;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

import dev.distillery.dataingest.teacher.TeacherFiles;
import dev.distillery.diffusion.distill.Layouts;
import dev.distillery.diffusion.distill.Student;
import dev.distillery.events.TrainRequest;
import dev.distillery.events.Violation;
import dev.distillery.planning.MemoryCheck.DeviceMemory;

/**
 * What a well-formed request may ask but its teacher cannot do. Said before anything is read or encoded, since the trainer
 * would find out only hours later.
 */
final class TeacherFit {
    private final List<Violation> violations = new ArrayList<>();

    private TeacherFit() {}

    /** Empty when the teacher can do it all. */
    static List<Violation> violations(TrainRequest request, TeacherFiles teacher, Optional<DeviceMemory> device) {
        var check = new TeacherFit();
        String layout = request.student().layout();
        try {
            Student.of(
                    teacher.unet(),
                    Layouts.of(teacher.unet(), layout, request.student().keep()));
        } catch (IllegalArgumentException e) {
            check.violations.add(request.student().violation(e.getMessage()));
        }
        check.multiple("encode.resolution", request.encode().resolution(), teacher.pixelMultiple());
        if (!request.samples().prompts().isEmpty()) {
            check.multiple("samples.size", request.samples().size(), teacher.pixelMultiple());
        }
        if (check.violations.isEmpty() && device.isPresent()) {
            check.violations.addAll(teacher.memoryCheck().violation(request, device.get()).stream()
                    .toList());
        }
        return check.violations;
    }

    private void multiple(String path, int value, int multiple) {
        if (value % multiple != 0) {
            violations.add(new Violation(
                    path,
                    String.valueOf(value),
                    "must be a multiple of " + multiple + ": this teacher's networks halve it so often"));
        }
    }
}
