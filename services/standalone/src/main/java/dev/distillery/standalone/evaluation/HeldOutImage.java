package dev.distillery.standalone.evaluation;

import java.io.IOException;

import dev.distillery.diffusion.image.RgbImage;

/** An image file with its caption. */
record HeldOutImage(String caption, byte[] file) {
    RgbImage image() throws IOException {
        return RgbImage.decode(file);
    }
}
