package dev.distillery.trainer.run;

import java.nio.file.Path;
import java.util.function.Function;

import ai.djl.ndarray.NDManager;
import dev.distillery.diffusion.distill.Distillation;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.unet.UNet2DCondition;

/**
 * The network that a run began with, which no training changes: the teacher, or of a student without one, what it began as.
 *
 * @param unet the network's folder
 */
record Base(Distillation distillation, Path unet) {

    /** Loads it only if it is not in memory. */
    <T> T with(Function<UNet2DCondition, T> use) {
        UNet2DCondition student = distillation.student();
        if (distillation.teacher().isPresent()) {
            return use.apply(distillation.teacher().get());
        }
        if (!student.adapters().isEmpty()) {
            try (UNet2DCondition.Bare bare = student.withoutAdapters()) {
                return use.apply(student);
            }
        }
        try (NDManager manager = Torch.newManager()) {
            return use.apply(UNet2DCondition.load(unet, manager));
        }
    }
}
