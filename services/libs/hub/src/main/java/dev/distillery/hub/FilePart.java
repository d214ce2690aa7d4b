package dev.distillery.hub;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** Some bytes of a file. */
final class FilePart extends InputStream {
    private final FileChannel file;
    private final Path path;
    private final long end;
    private long at;

    FilePart(Path path, long from, long length) throws IOException {
        this.path = path;
        this.file = FileChannel.open(path);
        this.at = from;
        this.end = from + length;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
        if (at == end) {
            return length == 0 ? 0 : -1;
        }
        int n = file.read(ByteBuffer.wrap(target, offset, (int) Math.min(length, end - at)), at);
        if (n < 0) {
            throw new EOFException(path + " has become shorter");
        }
        at += n;
        return n;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
