package dev.distillery.trainer.run;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.distillery.diffusion.clip.PromptEncoder;
import dev.distillery.diffusion.image.RgbImage;
import dev.distillery.diffusion.sample.TextToImage;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.unet.UNet2DCondition;
import dev.distillery.events.TrainRequest;

/**
 * Draws the request's prompts with a network that is in memory. The auto-encoder, and text encoders unless some are in memory, too,
 * are loaded for it and given back.
 */
final class Painter {

    private final TeacherFolder teacher;
    private final TrainRequest.Samples request;

    Painter(TeacherFolder teacher, TrainRequest.Samples request) {
        this.teacher = teacher;
        this.request = request;
    }

    /**
     * A PNG for each prompt. Image i begins from the noise of seed + i, whichever network draws it.
     *
     * @param trained text encoders that learnt beside the network; empty: the teacher's
     */
    List<byte[]> paint(UNet2DCondition unet, Optional<PromptEncoder> trained) {
        List<byte[]> images = new ArrayList<>();
        try (TextToImage pipeline = TextToImage.load(teacher.path());
                NDManager scope = Torch.newManager()) {
            PromptEncoder prompts = trained.orElseGet(pipeline::promptEncoder);
            for (int i = 0; i < request.prompts().size(); i++) {
                TextToImage.Settings settings =
                        settings(request, request.prompts().get(i), request.size(), i);
                images.add(draw(pipeline, unet, prompts, settings, scope));
            }
        }
        return images;
    }

    /** Of picture i of a prompt. */
    static TextToImage.Settings settings(TrainRequest.Samples request, String prompt, int px, int i) {
        return new TextToImage.Settings(List.of(prompt), px, request.steps(), request.guidance(), request.seed() + i);
    }

    /** One picture, as a PNG. */
    static byte[] draw(
            TextToImage pipeline,
            UNet2DCondition unet,
            PromptEncoder prompts,
            TextToImage.Settings settings,
            NDManager scope) {
        try (NDArray pixels = pipeline.render(unet, prompts, settings, scope)) { // (1, 3, H, W)
            return RgbImage.fromChw(pixels.mul(2).sub(1).toFloatArray(), settings.sizePx(), settings.sizePx())
                    .png();
        }
    }
}
