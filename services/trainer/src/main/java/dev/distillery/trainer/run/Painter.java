package dev.distillery.trainer.run;

import java.util.ArrayList;
import java.util.List;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.distillery.diffusion.image.RgbImage;
import dev.distillery.diffusion.sample.TextToImage;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.unet.UNet2DCondition;
import dev.distillery.events.TrainRequest;

/**
 * Draws the request's prompts with a network that is in memory. Text encoders and auto-encoder, which training does not
 * need, are loaded for it and given back.
 */
final class Painter {

    private final TeacherFolder teacher;
    private final TrainRequest.Samples request;

    Painter(TeacherFolder teacher, TrainRequest.Samples request) {
        this.teacher = teacher;
        this.request = request;
    }

    /** A PNG for each prompt. Image i begins from the noise of seed + i, whichever network draws it. */
    List<byte[]> paint(UNet2DCondition unet) {
        List<byte[]> images = new ArrayList<>();
        try (TextToImage pipeline = TextToImage.load(teacher.path());
                NDManager scope = Torch.newManager()) {
            for (int i = 0; i < request.prompts().size(); i++) {
                TextToImage.Settings settings = new TextToImage.Settings(
                        List.of(request.prompts().get(i)),
                        request.size(),
                        request.steps(),
                        request.guidance(),
                        request.seed() + i);
                images.add(draw(pipeline, unet, settings, scope));
            }
        }
        return images;
    }

    /** One picture, as a PNG. */
    static byte[] draw(TextToImage pipeline, UNet2DCondition unet, TextToImage.Settings settings, NDManager scope) {
        try (NDArray pixels = pipeline.render(unet, settings, scope)) { // (1, 3, H, W)
            return RgbImage.fromChw(pixels.mul(2).sub(1).toFloatArray(), settings.sizePx(), settings.sizePx())
                    .png();
        }
    }
}
