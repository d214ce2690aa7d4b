package dev.distillery.diffusion.image;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.ServiceLoader;

import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.spi.IIORegistry;
import javax.imageio.spi.ImageReaderSpi;
import javax.imageio.stream.ImageInputStream;

import dev.distillery.diffusion.image.ImageDecodingException.Reason;

/** From a file's bytes to pixels, with every way in which a file of a real data set is broken told apart. */
final class ImageDecoder {
    /** Pillow's limit; a header that claims more is refused before memory is taken for its pixels. */
    static final long MAX_PIXELS = 89_478_485;

    static {
        // One file after another goes through memory; a cache file for each would be slower.
        ImageIO.setUseCache(false);
        // ImageIO looks for readers in the class loader of whichever thread uses it first; in Quarkus that may be one
        // without this library's readers.
        IIORegistry.getDefaultInstance()
                .registerServiceProviders(ServiceLoader.load(ImageReaderSpi.class, ImageDecoder.class.getClassLoader())
                        .iterator());
    }

    private ImageDecoder() {}

    static RgbImage decode(byte[] file) throws ImageDecodingException {
        if (file.length == 0) {
            throw new ImageDecodingException(Reason.EMPTY, "");
        }
        try (ImageInputStream input = ImageIO.createImageInputStream(new ByteArrayInputStream(file))) {
            Iterator<ImageReader> readers = ImageIO.getImageReaders(input);
            if (!readers.hasNext()) {
                throw new ImageDecodingException(Reason.UNKNOWN_FORMAT, looksLike(file));
            }
            ImageReader reader = readers.next();
            try {
                // without text and profiles, which may be inflated to any size and have no part in the pixels
                reader.setInput(input, true, true);
                return ExifOrientation.upright(read(reader, file), file);
            } finally {
                reader.dispose();
            }
        } catch (ImageDecodingException e) {
            throw e;
        } catch (EOFException e) {
            throw new ImageDecodingException(Reason.TRUNCATED, "");
        } catch (OutOfMemoryError e) {
            // What a small file asks for at once, and does not get; the heap is as free as before.
            throw new ImageDecodingException(Reason.TOO_LARGE, "they need more memory than there is");
        } catch (IOException | RuntimeException e) {
            // Readers answer broken files with whatever exception their arithmetic leads to.
            boolean atEnd = e.getCause() instanceof EOFException;
            throw new ImageDecodingException(atEnd ? Reason.TRUNCATED : Reason.CORRUPT, atEnd ? "" : message(e));
        }
    }

    private static RgbImage read(ImageReader reader, byte[] file) throws IOException {
        int width = reader.getWidth(0);
        int height = reader.getHeight(0);
        if ((long) width * height > MAX_PIXELS) {
            throw new ImageDecodingException(
                    Reason.TOO_LARGE, width + "x" + height + " pixels; at most " + MAX_PIXELS + " are taken");
        }
        if (isJpeg(file) && !jpegEnds(file) || isCutWebp(file)) {
            throw new ImageDecodingException(Reason.TRUNCATED, "");
        }
        BufferedImage image = reader.read(0);
        return Pixels.toRgb(image);
    }

    private static boolean isJpeg(byte[] file) {
        return file.length > 2 && (file[0] & 0xff) == 0xff && (file[1] & 0xff) == 0xd8;
    }

    /** Decoders fill the missing part of a JPEG with grey in silence; what tells is an end marker after the last scan. */
    private static boolean jpegEnds(byte[] file) {
        for (int i = file.length - 2; i >= 0; i--) {
            if ((file[i] & 0xff) == 0xff) {
                int marker = file[i + 1] & 0xff;
                if (marker == 0xd9 || marker == 0xda) {
                    return marker == 0xd9;
                }
            }
        }
        return false;
    }

    /** The container's own length; the decoder would leave the missing part black. */
    private static boolean isCutWebp(byte[] file) {
        ByteBuffer head = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        return file.length > 12 && head.getInt(0) == 0x46464952 && (head.getInt(4) & 0xffffffffL) + 8 > file.length;
    }

    private static String looksLike(byte[] file) {
        String head = new String(file, 0, Math.min(file.length, 64), StandardCharsets.ISO_8859_1).strip();
        return head.startsWith("<") ? "it looks like HTML or XML" : "";
    }

    private static String message(Exception e) {
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }
}
