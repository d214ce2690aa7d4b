package dev.distillery.evaluator.score;

import java.io.IOException;

import dev.distillery.diffusion.image.RgbImage;

/** An image file with its caption. */
public record HeldOutImage(String caption, byte[] file) {
    public RgbImage image() throws IOException {
        return RgbImage.decode(file);
    }
}
