package dev.distillery.latentencoding;

import java.util.Comparator;
import java.util.List;

import dev.distillery.diffusion.image.RgbImage;

/**
 * What latents depend on besides the data set and the models.
 *
 * @param sizes of which each image gets the one that is nearest to its shape
 * @param randomCrop or the centre
 * @param flip probability of left and right exchanged
 * @param views differently cropped and flipped encodings of each image
 */
public record EncodeSettings(List<ImageSize> sizes, boolean randomCrop, double flip, int views) {
    /** All images in squares. */
    public static EncodeSettings square(int resolution, boolean randomCrop, double flip, int views) {
        return new EncodeSettings(List.of(new ImageSize(resolution, resolution)), randomCrop, flip, views);
    }

    ImageSize sizeOf(RgbImage image) {
        return sizes.stream()
                .min(Comparator.comparingDouble(size -> size.distance(image.width(), image.height())))
                .orElseThrow();
    }
}
