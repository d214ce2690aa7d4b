package dev.distillery.evaluator.score;

import java.io.IOException;

import dev.distillery.artifacts.Digest;
import dev.distillery.diffusion.image.RgbImage;

/** An image file with its caption. */
public record HeldOutImage(String caption, byte[] file) {
    /** Adds them to what a report says of its data. */
    public void addTo(Digest digest) {
        digest.add(caption).add(Digest.of(file));
    }

    public RgbImage image() throws IOException {
        return RgbImage.decode(file);
    }
}
