package dev.distillery.trainer.run;

import java.util.List;

import ai.djl.Device;
import dev.distillery.diffusion.distill.Latency;
import dev.distillery.diffusion.distill.NetworkSizes;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.unet.UNetConfig;
import dev.distillery.events.TrainRequest;
import dev.distillery.planning.TrainingSettings;

/**
 * How long both networks take for a forward pass of one image, side by side on the machine that trained.
 *
 * @param teacherSeconds of the teacher
 * @param studentSeconds of the student
 * @param pixels sides of the image
 * @param precision of weights and arithmetic of both
 * @param machine on which it was measured
 */
public record Latencies(double teacherSeconds, double studentSeconds, int pixels, String precision, String machine) {

    static Latencies measure(
            UNetConfig teacher, UNetConfig student, TrainRequest request, int pixelsPerLatent, Device device) {
        int pixels = request.encode().resolution();
        List<Double> seconds = Latency.seconds(
                List.of(teacher, student),
                NetworkSizes.input(pixels, pixelsPerLatent),
                TrainingSettings.distillation(request).precision(),
                device);
        return new Latencies(
                seconds.get(0), seconds.get(1), pixels, request.train().precision(), Torch.describe(device));
    }
}
