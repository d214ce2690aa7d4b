package dev.distillery.latentencoding;

import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

import dev.distillery.artifacts.shard.Sample;
import dev.distillery.diffusion.image.ImageDecodingException;
import dev.distillery.diffusion.image.RgbImage;

/**
 * An image resized and cropped, ready for the auto-encoder.
 *
 * @param views all of this size
 * @param timeIds six numbers for each view
 */
public record PreparedImage(ImageSize size, List<RgbImage> views, List<float[]> timeIds) {

    static PreparedImage of(Sample sample, EncodeSettings settings) {
        RgbImage image;
        try {
            image = RgbImage.decode(sample.image());
        } catch (ImageDecodingException e) {
            throw new UncheckedIOException("pair " + sample.position() + " has no image: " + e.getMessage(), e);
        }
        ImageSize size = settings.sizeOf(image);
        RgbImage resized = image.resizeToCover(size.width(), size.height());
        var views = new ArrayList<RgbImage>();
        var timeIds = new ArrayList<float[]>();
        for (int v = 0; v < settings.views(); v++) {
            View view = View.draw(resized, size, settings, sample.position(), v);
            views.add(view.of(resized, size));
            timeIds.add(view.timeIds(image, size));
        }
        return new PreparedImage(size, views, timeIds);
    }
}
