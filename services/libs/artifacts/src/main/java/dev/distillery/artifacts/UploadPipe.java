package dev.distillery.artifacts;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * What an {@link ArtifactStore.Upload} writes, as a stream to read, through a few blocks of memory.
 *
 * <p>Not Java's piped streams, for two reasons: when the writer fails, reading fails too instead of ending as if all had
 * been written; and the client reads parts on threads that come and go, which piped streams take for a dead reader.
 */
final class UploadPipe extends InputStream {
    private static final int BLOCK_BYTES = 1 << 16;
    private static final int BLOCKS = 32;
    private static final byte[] END = {};

    private final BlockingQueue<byte[]> blocks = new ArrayBlockingQueue<>(BLOCKS);
    private volatile Throwable failure;
    private volatile boolean closed;
    private byte[] block = {0};
    private int position = 1;

    UploadPipe(ArtifactStore.Upload upload) {
        Thread writer = new Thread(() -> write(upload), "upload");
        writer.setDaemon(true);
        writer.start();
    }

    private void write(ArtifactStore.Upload upload) {
        try (OutputStream out = new BufferedOutputStream(new Blocks(), BLOCK_BYTES)) {
            upload.to(out);
        } catch (IOException | RuntimeException | Error e) {
            failure = e;
        }
        try {
            pass(END); // after the failure is noted, so that the reader sees it there
        } catch (IOException e) {
            // the reader has gone
        }
    }

    private void pass(byte[] bytes) throws IOException {
        try {
            while (!blocks.offer(bytes, 1, TimeUnit.SECONDS)) {
                if (closed) {
                    throw new IOException("The upload was given up");
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException();
        }
    }

    private final class Blocks extends OutputStream {
        @Override
        public void write(int b) throws IOException {
            pass(new byte[] {(byte) b});
        }

        @Override
        public void write(byte[] bytes, int from, int length) throws IOException {
            for (int at = from; at < from + length; at += BLOCK_BYTES) {
                pass(Arrays.copyOfRange(bytes, at, Math.min(at + BLOCK_BYTES, from + length)));
            }
        }
    }

    @Override
    public int read() throws IOException {
        return ended() ? -1 : block[position++] & 0xFF;
    }

    @Override
    public int read(byte[] buffer, int from, int length) throws IOException {
        if (ended()) {
            return -1;
        }
        int n = Math.min(length, block.length - position);
        System.arraycopy(block, position, buffer, from, n);
        position += n;
        return n;
    }

    private boolean ended() throws IOException {
        try {
            if (block != END && position == block.length) {
                block = blocks.take();
                position = 0;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException();
        }
        if (block == END && failure instanceof RuntimeException e) {
            throw e;
        }
        if (block == END && failure instanceof IOException e) {
            throw new UncheckedIOException(e); // the source's trouble, not the store's: no reason to try again
        }
        if (block == END && failure != null) {
            throw new IllegalStateException(failure);
        }
        return block == END;
    }

    @Override
    public void close() {
        closed = true;
    }
}
