package dev.distillery.artifacts.shard;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/** The pairs of a WebDataset shard as data-ingest writes it: an image file followed by its caption of the same number. */
public final class ShardReader implements AutoCloseable {
    private final TarArchiveInputStream tar;

    public ShardReader(InputStream shard) {
        this.tar = new TarArchiveInputStream(shard);
    }

    /** The next pair; null at the end. */
    public Sample next() throws IOException {
        TarArchiveEntry image = tar.getNextEntry();
        if (image == null) {
            return null;
        }
        byte[] bytes = tar.readAllBytes();
        TarArchiveEntry caption = tar.getNextEntry();
        String number = image.getName().replaceFirst("\\.[^.]*$", "");
        if (caption == null || !caption.getName().equals(number + ".txt")) {
            throw new IOException("shard entry " + image.getName() + " is not followed by " + number + ".txt");
        }
        String text = new String(tar.readAllBytes(), StandardCharsets.UTF_8);
        return new Sample(Long.parseLong(number), bytes, text);
    }

    @Override
    public void close() throws IOException {
        tar.close();
    }
}
