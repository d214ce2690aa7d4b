package dev.distillery.diffusion.evaluate;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.clip.ClipModel;
import dev.distillery.diffusion.image.Resampling;
import dev.distillery.diffusion.image.RgbImage;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.vae.AutoencoderKL;

/**
 * Looks at pictures as the scores do. The networks stay the caller's.
 *
 * @param clip without it there is no CLIP score
 * @param inception without it there is neither FID nor IS
 * @param px height and width to which pictures are brought, by a cubic filter, before CLIP and Inception see them; the published
 *     protocol of BK-SDM draws at 512 and looks at 256
 */
public record Judge(AutoencoderKL vae, Optional<ClipModel> clip, Optional<Inception> inception, int px) {

    /** Looks at pictures of one size, one or more, each with its caption. */
    public PictureFeatures of(List<RgbImage> pictures, List<String> captions) {
        List<RgbImage> seen = pictures.stream()
                .map(picture -> picture.width() == px && picture.height() == px
                        ? picture
                        : picture.resize(px, px, Resampling.BICUBIC))
                .toList();
        try (NDManager scope = Torch.newManager()) {
            NDArray bytes = Inception.bytes(seen, scope);
            return new PictureFeatures(
                    rows(LatentFeatures.of(pixels(pictures, scope), vae)),
                    inception.map(network -> rows(network.features(bytes))).orElse(new float[0][]),
                    inception
                            .map(network -> rows(network.probabilities(bytes).log()))
                            .orElse(new float[0][]),
                    clip.map(model -> ClipScore.cosines(
                                    model.imageFeatures(seen, scope), model.textFeatures(captions, scope)))
                            .orElse(new double[0]));
        }
    }

    private static NDArray pixels(List<RgbImage> pictures, NDManager scope) {
        int width = pictures.get(0).width();
        int height = pictures.get(0).height();
        float[] values = new float[Math.multiplyExact(3 * width * height, pictures.size())];
        for (int i = 0; i < pictures.size(); i++) {
            pictures.get(i).toChw(values, i * 3 * width * height);
        }
        return scope.create(values, new Shape(pictures.size(), 3, height, width))
                .div(2)
                .add(0.5f);
    }

    private static float[][] rows(NDArray features) {
        float[] values = features.toFloatArray();
        int count = (int) features.getShape().get(0);
        int width = values.length / count;
        return IntStream.range(0, count)
                .mapToObj(row -> Arrays.copyOfRange(values, row * width, (row + 1) * width))
                .toArray(float[][]::new);
    }
}
