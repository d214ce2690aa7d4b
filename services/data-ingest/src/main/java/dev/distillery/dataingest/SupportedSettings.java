package dev.distillery.dataingest;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

import dev.distillery.dataingest.teacher.TeacherFiles;
import dev.distillery.diffusion.distill.Layouts;
import dev.distillery.diffusion.distill.Student;
import dev.distillery.events.TrainRequest;
import dev.distillery.events.Violation;

/**
 * What a well-formed request may ask but this version does not do, or not with this teacher. Said before anything is read
 * or encoded, since the trainer would find out only hours later.
 *
 * <p>{@code train.gradientCheckpointing} is not here: it saves memory and changes no number.
 */
final class SupportedSettings {
    private final List<Violation> violations = new ArrayList<>();

    private SupportedSettings() {}

    /** Whatever the teacher. */
    static List<Violation> unsupported(TrainRequest request) {
        var check = new SupportedSettings();
        TrainRequest.Train train = request.train();
        check.only("train.precision", train.precision(), "fp32");
        check.only("train.optimizer.type", train.optimizer().type(), "adamw");
        check.only("train.accumulate", train.accumulate(), 1);
        check.only("train.loss.snrGamma", train.loss().snrGamma(), null);
        return check.violations;
    }

    /** With this teacher. */
    static List<Violation> unsupported(TrainRequest request, TeacherFiles teacher) {
        var check = new SupportedSettings();
        String layout = request.student().layout();
        try {
            Student.of(teacher.unet(), Layouts.named(teacher.unet(), layout));
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            check.violations.add(new Violation("student.layout", layout, e.getMessage()));
        }
        check.multiple("encode.resolution", request.encode().resolution(), teacher.pixelMultiple());
        if (!request.samples().prompts().isEmpty()) {
            check.multiple("samples.size", request.samples().size(), teacher.pixelMultiple());
        }
        return check.violations;
    }

    private void only(String path, Object value, Object supported) {
        if (!Objects.equals(value, supported)) {
            violations.add(new Violation(path, String.valueOf(value), "this version supports " + supported + " only"));
        }
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
