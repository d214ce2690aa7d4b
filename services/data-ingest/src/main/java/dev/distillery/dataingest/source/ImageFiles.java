package dev.distillery.dataingest.source;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/** Files of images and captions, by their names and sizes. */
final class ImageFiles {
    /** No image that is trained on is larger; one that claims more would take the memory of all. */
    static final int MAX_BYTES = 256 << 20;

    private static final int MAX_CAPTION_BYTES = 1 << 20;
    private static final Pattern IMAGE = Pattern.compile("(?i)(jpe?g|png|webp|gif|bmp|tiff?)");

    private ImageFiles() {}

    static boolean isImage(String name) {
        return IMAGE.matcher(extension(name)).matches();
    }

    /** What follows the last dot; empty if there is none. */
    static String extension(String name) {
        return name.substring(name.lastIndexOf('.') + 1);
    }

    /** The name without what follows the last dot. */
    static String stem(String name) {
        int dot = name.lastIndexOf('.');
        return dot < 0 ? name : name.substring(0, dot);
    }

    /**
     * All bytes of a stream as a pair's image, or that they are too many.
     *
     * @param size of the file, as whoever holds it says: one that is too large is not read
     */
    static Pair pair(String where, InputStream image, long size, String caption) throws IOException {
        if (size > MAX_BYTES) {
            return Pair.unusable(where, "file too large", size + " bytes");
        }
        byte[] bytes = image.readNBytes(MAX_BYTES + 1);
        return bytes.length > MAX_BYTES ? Pair.unusable(where, "file too large", "") : new Pair(where, bytes, caption);
    }

    /** A caption as a file has it, without white space around it; what is longer is cut off. */
    static String caption(InputStream text) throws IOException {
        return new String(text.readNBytes(MAX_CAPTION_BYTES), StandardCharsets.UTF_8).strip();
    }
}
