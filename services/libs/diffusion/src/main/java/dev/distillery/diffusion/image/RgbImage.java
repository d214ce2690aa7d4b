package dev.distillery.diffusion.image;

import java.awt.image.BufferedImage;
import java.awt.image.DataBufferByte;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

import javax.imageio.ImageIO;

/** An image of 8-bit RGB: row by row, three bytes to a pixel. Its operations make new images. */
public final class RgbImage {
    private static final float[] MODEL_INPUT = new float[256]; // of each byte

    static {
        for (int value = 0; value < MODEL_INPUT.length; value++) {
            MODEL_INPUT[value] = (value / 255f - 0.5f) / 0.5f;
        }
    }

    private final int width;
    private final int height;
    private final byte[] rgb;

    /** @param rgb height x width x 3 bytes; not copied, so not to be changed any more */
    public RgbImage(int width, int height, byte[] rgb) {
        if (width < 1 || height < 1 || rgb.length != Math.multiplyExact(3, Math.multiplyExact(width, height))) {
            throw new IllegalArgumentException(width + "x" + height + " pixels do not fill " + rgb.length + " bytes");
        }
        this.width = width;
        this.height = height;
        this.rgb = rgb;
    }

    /**
     * The first frame of a PNG, JPEG, WebP, GIF, BMP or TIFF file: upright as its EXIF data say, transparency on white, 16
     * bits cut to 8, and colour profiles ignored as Pillow ignores them.
     *
     * @throws ImageDecodingException with the reason
     */
    public static RgbImage decode(byte[] file) throws ImageDecodingException {
        return ImageDecoder.decode(file);
    }

    /**
     * From a model's output.
     *
     * @param chw 3 x height x width values, -1 black and 1 full colour; cut to that range
     */
    public static RgbImage fromChw(float[] chw, int width, int height) {
        int plane = width * height;
        byte[] rgb = new byte[3 * plane];
        for (int i = 0; i < plane; i++) {
            for (int c = 0; c < 3; c++) {
                float unit = Math.max(0f, Math.min(1f, chw[c * plane + i] / 2 + 0.5f));
                rgb[3 * i + c] = (byte) (int) Math.rint(unit * 255f);
            }
        }
        return new RgbImage(width, height, rgb);
    }

    public int width() {
        return width;
    }

    public int height() {
        return height;
    }

    /** Row by row, three bytes to a pixel; not to be changed. */
    public byte[] rgb() {
        return rgb;
    }

    /** The image resized by a triangle filter. */
    public RgbImage resize(int newWidth, int newHeight) {
        return resize(newWidth, newHeight, Resampling.BILINEAR);
    }

    public RgbImage resize(int newWidth, int newHeight, Resampling resampling) {
        return Resize.resize(this, newWidth, newHeight, resampling);
    }

    /**
     * As small as covers a size with the shape kept: one side is that of the size, the other is rounded down. For a square that
     * is torchvision's {@code Resize}, whose shorter side becomes the square's.
     */
    public RgbImage resizeToCover(int newWidth, int newHeight) {
        return resizeToCover(newWidth, newHeight, Resampling.BILINEAR);
    }

    /** As {@link #resizeToCover(int, int)}, by another filter. */
    public RgbImage resizeToCover(int newWidth, int newHeight, Resampling resampling) {
        boolean byWidth = (long) newWidth * height >= (long) newHeight * width;
        return byWidth
                ? resize(newWidth, (int) ((long) newWidth * height / width), resampling)
                : resize((int) ((long) newHeight * width / height), newHeight, resampling);
    }

    /** @throws IndexOutOfBoundsException if the part reaches out of the image */
    public RgbImage crop(int left, int top, int newWidth, int newHeight) {
        Objects.checkFromIndexSize(left, newWidth, width);
        Objects.checkFromIndexSize(top, newHeight, height);
        byte[] part = new byte[3 * newWidth * newHeight];
        for (int y = 0; y < newHeight; y++) {
            System.arraycopy(rgb, 3 * ((top + y) * width + left), part, 3 * y * newWidth, 3 * newWidth);
        }
        return new RgbImage(newWidth, newHeight, part);
    }

    /** Left and right exchanged. */
    public RgbImage flip() {
        byte[] flipped = new byte[rgb.length];
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                System.arraycopy(rgb, 3 * (y * width + x), flipped, 3 * (y * width + width - 1 - x), 3);
            }
        }
        return new RgbImage(width, height, flipped);
    }

    /** A model's input: 3 x height x width values, -1 black and 1 full colour, written from {@code offset} on. */
    public void toChw(float[] target, int offset) {
        int plane = width * height;
        for (int c = 0; c < 3; c++) {
            for (int i = 0, from = c, to = offset + c * plane; i < plane; i++, from += 3, to++) {
                target[to] = MODEL_INPUT[rgb[from] & 0xff];
            }
        }
    }

    /** The bytes by channel: 3 x height x width of them. */
    public void toChw(ByteBuffer target) {
        for (int c = 0; c < 3; c++) {
            for (int from = c; from < rgb.length; from += 3) {
                target.put(rgb[from]);
            }
        }
    }

    /** Images of one size side by side, row after row, on white. */
    public static RgbImage grid(List<RgbImage> images, int columns, int gap) {
        int w = images.get(0).width;
        int h = images.get(0).height;
        int rows = (images.size() + columns - 1) / columns;
        int gridWidth = columns * (w + gap) - gap;
        int gridHeight = rows * (h + gap) - gap;
        byte[] rgb = new byte[3 * gridWidth * gridHeight];
        Arrays.fill(rgb, (byte) 255);
        for (int i = 0; i < images.size(); i++) {
            RgbImage image = images.get(i);
            if (image.width != w || image.height != h) {
                throw new IllegalArgumentException("image " + i + " is " + image.width + "x" + image.height
                        + ", not of the grid's size " + w + "x" + h);
            }
            int at = i / columns * (h + gap) * gridWidth + i % columns * (w + gap);
            for (int y = 0; y < h; y++) {
                System.arraycopy(image.rgb, 3 * y * w, rgb, 3 * (at + y * gridWidth), 3 * w);
            }
        }
        return new RgbImage(gridWidth, gridHeight, rgb);
    }

    /** The image as a PNG file. */
    public byte[] png() {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_3BYTE_BGR);
        byte[] bgr = ((DataBufferByte) image.getRaster().getDataBuffer()).getData();
        for (int i = 0; i < rgb.length; i += 3) {
            bgr[i] = rgb[i + 2];
            bgr[i + 1] = rgb[i + 1];
            bgr[i + 2] = rgb[i];
        }
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        try {
            if (!ImageIO.write(image, "png", png)) {
                throw new IllegalStateException("this Java runtime has no PNG writer");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return png.toByteArray();
    }
}
