package dev.distillery.diffusion.evaluate;

import java.util.List;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.clip.PromptEncoder;
import dev.distillery.diffusion.distill.TeacherMatch;
import dev.distillery.diffusion.image.RgbImage;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.vae.AutoencoderKL;

/**
 * Images and captions as the networks are asked about them: the middle square of the image, and the mean of its latents, so that
 * nothing is drawn by chance. The encoders stay the caller's.
 *
 * @param px height and width of the square
 */
public record PairEncoder(AutoencoderKL vae, PromptEncoder prompts, int px) {

    /** @param scope owner of the result */
    public TeacherMatch.Pair encode(RgbImage image, String caption, NDManager scope) {
        RgbImage covering = image.resizeToCover(px, px);
        int left = (covering.width() - px) / 2;
        int top = (covering.height() - px) / 2;
        float[] pixels = new float[3 * px * px];
        covering.crop(left, top, px, px).toChw(pixels, 0);
        try (Torch.GradMode off = Torch.gradMode(false)) {
            PromptEncoder.Prompts text = prompts.encode(List.of(caption), scope);
            NDArray latents = vae.encode(scope.create(pixels, new Shape(1, 3, px, px)))
                    .mean()
                    .mul((float) vae.config().scalingFactor());
            float[] sizes = {image.height(), image.width(), top, left, px, px};
            return new TeacherMatch.Pair(
                    latents,
                    text.promptEmbeds(),
                    text.pooled(),
                    text.pooled() == null ? null : scope.create(sizes, new Shape(1, 6)));
        }
    }
}
