package dev.distillery.dataingest.shard;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

import dev.distillery.dataingest.source.Pair;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/**
 * One shard in the layout of WebDataset: the image file as it came ({@code 000000.png}) and its caption
 * ({@code 000000.txt}), numbered over the whole data set. The same pairs always give the same bytes.
 */
public final class ShardTar {
    public static final int MAX_PAIRS = 256;
    public static final long MAX_BYTES = 256L << 20;

    private static final int RECORD = 512;

    private ShardTar() {}

    /**
     * Fills a shard from the next pairs until one more would exceed a bound. A single image above the bound gets a shard
     * of its own.
     *
     * @param first number of the shard's first pair
     * @param most at most so many pairs
     * @return how many there are in it
     */
    public static int write(UsablePairs pairs, long first, long most, OutputStream out) throws IOException {
        // Not closed: whoever gave the stream closes it.
        var tar = new TarArchiveOutputStream(out);
        int count = 0;
        long bytes = 2 * RECORD; // the archive's end
        for (Pair pair = pairs.peek(); pair != null && count < Math.min(most, MAX_PAIRS); pair = pairs.peek()) {
            byte[] caption = pair.caption().getBytes(StandardCharsets.UTF_8);
            bytes += sizeInTar(pair.image().length) + sizeInTar(caption.length);
            if (count > 0 && bytes > MAX_BYTES) {
                break;
            }
            String name = "%06d".formatted(first + count);
            put(tar, name + "." + extension(pair.image()), pair.image());
            put(tar, name + ".txt", caption);
            pairs.take();
            count++;
        }
        tar.finish();
        tar.flush();
        return count;
    }

    private static void put(TarArchiveOutputStream tar, String name, byte[] content) throws IOException {
        var entry = new TarArchiveEntry(name);
        entry.setSize(content.length);
        entry.setModTime(0L);
        tar.putArchiveEntry(entry);
        tar.write(content);
        tar.closeArchiveEntry();
    }

    private static long sizeInTar(int length) {
        return RECORD + (length + RECORD - 1L) / RECORD * RECORD;
    }

    /** By the file's first bytes: names in data sets lie. */
    private static String extension(byte[] image) {
        return switch (image[0] & 0xff) {
            case 0x89 -> "png";
            case 0xff -> "jpg";
            case 'R' -> "webp";
            case 'G' -> "gif";
            case 'B' -> "bmp";
            default -> "img";
        };
    }
}
