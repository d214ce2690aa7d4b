package dev.distillery.latentencoding;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;

/**
 * The size in pixels that an image is resized and cropped to.
 *
 * @see <a href="https://arxiv.org/abs/2307.01952">SDXL, section 2.3: multi-aspect training</a>
 */
public record ImageSize(int width, int height) {
    /** The sizes that SDXL is used at most, in units of 1/16 of the square's side: 640x1536 to 1536x640 at 1024. */
    private static final int[][] SHAPES = {
        {10, 24}, {12, 21}, {13, 19}, {14, 18}, {16, 16}, {18, 14}, {19, 13}, {21, 12}, {24, 10}
    };

    /**
     * SDXL's nine shapes at a resolution; fewer if the multiple makes some alike.
     *
     * @param resolution side of the square among them
     * @param multiple of both sides
     */
    static List<ImageSize> buckets(int resolution, int multiple) {
        var sizes = new LinkedHashSet<ImageSize>();
        for (int[] shape : SHAPES) {
            sizes.add(new ImageSize(side(shape[0], resolution, multiple), side(shape[1], resolution, multiple)));
        }
        return new ArrayList<>(sizes);
    }

    private static int side(int sixteenths, int resolution, int multiple) {
        return Math.max(1, Math.round((float) sixteenths * resolution / 16 / multiple)) * multiple;
    }

    int pixels() {
        return width * height;
    }

    /** How far this is from an image's shape; 0 if it is the same. */
    double distance(int imageWidth, int imageHeight) {
        return Math.abs(Math.log((double) imageWidth / imageHeight * height / width));
    }
}
