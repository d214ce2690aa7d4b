package dev.distillery.latentencoding;

import dev.distillery.diffusion.image.RgbImage;

/**
 * One cut of an image, in the order of diffusers' SDXL training script: resize, flip, crop.
 *
 * @param left of the crop in the resized image
 * @param top of the crop in the resized image
 * @see <a href="https://github.com/huggingface/diffusers/blob/v0.35.1/examples/text_to_image/train_text_to_image_sdxl.py#L903">
 *     preprocess_train</a>
 */
record View(int left, int top, boolean flipped) {
    /**
     * The draws depend on position and view alone, so that an encoding made twice, or by another instance, is the same.
     *
     * @param resized the image, covering the size
     * @param position of the pair in its data set
     */
    static View draw(RgbImage resized, ImageSize size, EncodeSettings settings, long position, int view) {
        int spareWidth = resized.width() - size.width();
        int spareHeight = resized.height() - size.height();
        boolean flipped = unit(position, view, 0) < settings.flip();
        if (settings.randomCrop()) {
            int top = (int) (unit(position, view, 1) * (spareHeight + 1));
            int left = (int) (unit(position, view, 2) * (spareWidth + 1));
            return new View(left, top, flipped);
        }
        // Half to even, as Python rounds.
        return new View((int) Math.rint(spareWidth / 2.0), (int) Math.rint(spareHeight / 2.0), flipped);
    }

    RgbImage of(RgbImage resized, ImageSize size) {
        return (flipped ? resized.flip() : resized).crop(left, top, size.width(), size.height());
    }

    /** SDXL's conditioning on sizes: original height and width, top and left of the crop, height and width made. */
    float[] timeIds(RgbImage original, ImageSize size) {
        return new float[] {original.height(), original.width(), top, left, size.height(), size.width()};
    }

    /** A number in [0, 1): SplitMix64's finaliser over the three numbers, the same on every machine and JDK. */
    private static double unit(long position, int view, int use) {
        long z = position * 0x9E3779B97F4A7C15L + view * 0xD1B54A32D192ED03L + (use + 1) * 0x8CB92BA72F3D8DD7L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return ((z ^ (z >>> 31)) >>> 11) * 0x1.0p-53;
    }
}
