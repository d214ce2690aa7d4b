package dev.distillery.diffusion.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Turns a photograph upright as its camera noted (EXIF tag 0x0112 of a JPEG file), as Hugging Face's datasets do. */
final class ExifOrientation {
    private static final int TAG = 0x0112;

    private ExifOrientation() {}

    static RgbImage upright(RgbImage image, byte[] file) {
        int orientation = of(file);
        RgbImage turned = orientation >= 5 ? transpose(image) : image; // 5 to 8 lie on their side
        boolean mirrored = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
        boolean upsideDown = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
        turned = mirrored ? turned.flip() : turned;
        return upsideDown ? upsideDown(turned) : turned;
    }

    /** 1 (upright) if the file says nothing, or nothing sensible. */
    private static int of(byte[] file) {
        ByteBuffer in = ByteBuffer.wrap(file);
        if (file.length < 4 || in.getShort() != (short) 0xffd8) {
            return 1;
        }
        while (in.remaining() >= 4) {
            int marker = in.getShort() & 0xffff;
            int length = in.getShort() & 0xffff;
            if (marker < 0xff00 || marker == 0xffda || length < 2 || length - 2 > in.remaining()) {
                return 1; // the scan begins, or this is no segment: there is no orientation before
            }
            if (marker == 0xffe1 && length > 16 && in.getInt(in.position()) == 0x45786966) { // "Exif"
                return inTiff(in.slice(in.position() + 6, length - 8));
            }
            in.position(in.position() + length - 2);
        }
        return 1;
    }

    private static int inTiff(ByteBuffer tiff) {
        tiff.order(tiff.get(0) == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
        int directory = tiff.getInt(4);
        if (directory < 8 || directory > tiff.limit() - 2) {
            return 1;
        }
        int entries = tiff.getShort(directory) & 0xffff;
        for (int i = 0, at = directory + 2; i < entries && at + 12 <= tiff.limit(); i++, at += 12) {
            if ((tiff.getShort(at) & 0xffff) == TAG) {
                int value = tiff.getShort(at + 8);
                return value >= 1 && value <= 8 ? value : 1;
            }
        }
        return 1;
    }

    private static RgbImage transpose(RgbImage image) {
        byte[] from = image.rgb();
        byte[] to = new byte[from.length];
        for (int y = 0; y < image.height(); y++) {
            for (int x = 0; x < image.width(); x++) {
                System.arraycopy(from, 3 * (y * image.width() + x), to, 3 * (x * image.height() + y), 3);
            }
        }
        return new RgbImage(image.height(), image.width(), to);
    }

    private static RgbImage upsideDown(RgbImage image) {
        int row = 3 * image.width();
        byte[] to = new byte[row * image.height()];
        for (int y = 0; y < image.height(); y++) {
            System.arraycopy(image.rgb(), y * row, to, (image.height() - 1 - y) * row, row);
        }
        return new RgbImage(image.width(), image.height(), to);
    }
}
