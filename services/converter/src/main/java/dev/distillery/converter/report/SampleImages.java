package dev.distillery.converter.report;

import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Base64;

import javax.imageio.ImageIO;

/** Samples as data URIs, made small enough that a page of many stays light. */
final class SampleImages {

    private static final int MOST_PIXELS_ACROSS = 256;

    private SampleImages() {}

    /** The PNG as it is when it is small, else halved until it is at most 256 pixels wide. */
    static String dataUri(byte[] png) {
        return dataUri(png, MOST_PIXELS_ACROSS);
    }

    static String dataUri(byte[] png, int mostAcross) {
        return "data:image/png;base64," + Base64.getEncoder().encodeToString(small(png, mostAcross));
    }

    private static byte[] small(byte[] png, int mostAcross) {
        try {
            BufferedImage image = ImageIO.read(new ByteArrayInputStream(png));
            if (image == null) {
                throw new IllegalArgumentException("A sample of " + png.length + " bytes is not a PNG image");
            }
            if (image.getWidth() <= mostAcross) {
                return png;
            }
            while (image.getWidth() > mostAcross) {
                image = halved(image);
            }
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            ImageIO.write(image, "png", out);
            return out.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Bilinear at exactly one half is the mean of four pixels, so nothing aliases. */
    private static BufferedImage halved(BufferedImage image) {
        int width = image.getWidth() / 2;
        int height = image.getHeight() / 2;
        BufferedImage half = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = half.createGraphics();
        graphics.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
        graphics.drawImage(image, 0, 0, width, height, null);
        graphics.dispose();
        return half;
    }
}
