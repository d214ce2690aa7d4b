package dev.distillery.diffusion.image;

import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.Raster;

/**
 * The bytes of a decoded image as they are in the file. {@link BufferedImage#getRGB} would convert colour spaces: it
 * takes grey for linear light and brightens it, and applies embedded profiles, which Pillow and so the models do not.
 */
final class Pixels {
    private Pixels() {}

    static RgbImage toRgb(BufferedImage image) {
        ColorModel colors = image.getColorModel();
        int kind = colors.getColorSpace().getType();
        boolean plain = colors instanceof ComponentColorModel
                && (kind == ColorSpace.TYPE_RGB || kind == ColorSpace.TYPE_GRAY)
                && !colors.isAlphaPremultiplied()
                && colors.getTransferType() <= DataBuffer.TYPE_USHORT;
        return plain ? fromSamples(image) : fromArgb(image);
    }

    private static RgbImage fromSamples(BufferedImage image) {
        Raster raster = image.getRaster();
        ColorModel colors = image.getColorModel();
        int width = image.getWidth();
        int bands = raster.getNumBands();
        int colorBands = colors.getNumColorComponents();
        int shift = Math.max(0, colors.getComponentSize(0) - 8);
        byte[] rgb = new byte[3 * width * image.getHeight()];
        int[] row = new int[width * bands];
        for (int y = 0, at = 0; y < image.getHeight(); y++) {
            raster.getPixels(0, y, width, 1, row);
            for (int x = 0; x < row.length; x += bands) {
                int alpha = colors.hasAlpha() ? row[x + bands - 1] >> shift : 255;
                for (int c = 0; c < 3; c++) {
                    rgb[at++] = onWhite(row[x + (colorBands == 1 ? 0 : c)] >> shift, alpha);
                }
            }
        }
        return new RgbImage(width, image.getHeight(), rgb);
    }

    /** Palettes, packed pixels, and what the reader has converted to sRGB already. */
    private static RgbImage fromArgb(BufferedImage image) {
        int width = image.getWidth();
        byte[] rgb = new byte[3 * width * image.getHeight()];
        int[] row = new int[width];
        for (int y = 0, at = 0; y < image.getHeight(); y++) {
            image.getRGB(0, y, width, 1, row, 0, width);
            for (int argb : row) {
                for (int shift = 16; shift >= 0; shift -= 8) {
                    rgb[at++] = onWhite(argb >> shift & 0xff, argb >>> 24);
                }
            }
        }
        return new RgbImage(width, image.getHeight(), rgb);
    }

    private static byte onWhite(int value, int alpha) {
        return (byte) ((value * alpha + 255 * (255 - alpha) + 127) / 255);
    }
}
