package dev.distillery.diffusion.safetensors;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;

/**
 * One safetensors file, memory-mapped: opening reads the header only, and each tensor is mapped when it is asked for, so
 * files may be larger than memory and than 2 GiB (a single tensor may not).
 */
public final class SafetensorsFile implements AutoCloseable {
    private final Path path;
    private final FileChannel channel;
    private final long dataStart;
    private final SafetensorsHeader header;

    private SafetensorsFile(Path path, FileChannel channel, long dataStart, SafetensorsHeader header) {
        this.path = path;
        this.channel = channel;
        this.dataStart = dataStart;
        this.header = header;
    }

    /** @throws SafetensorsException naming the file and what is wrong with it */
    public static SafetensorsFile open(Path path) {
        try {
            FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
            try {
                return open(path, channel);
            } catch (IOException | RuntimeException e) {
                channel.close();
                throw e;
            }
        } catch (IOException e) {
            throw new SafetensorsException(path + ": cannot be read: " + e, e);
        }
    }

    private static SafetensorsFile open(Path path, FileChannel channel) throws IOException {
        long size = channel.size();
        if (size < 8) {
            throw new SafetensorsException(
                    path + ": truncated: " + size + " bytes, less than the header's length field");
        }
        long length = read(channel, 0, 8).getLong();
        if (length < 2 || length > SafetensorsHeader.MAX_BYTES) {
            throw new SafetensorsException(
                    path + ": not safetensors: a header of " + Long.toUnsignedString(length) + " bytes");
        }
        if (8 + length > size) {
            throw new SafetensorsException(path + ": truncated: a header of " + length + " bytes in a file of " + size);
        }
        byte[] json = read(channel, 8, (int) length).array();
        long dataStart = 8 + length;
        return new SafetensorsFile(
                path, channel, dataStart, SafetensorsHeader.parse(path.toString(), json, size - dataStart));
    }

    private static ByteBuffer read(FileChannel channel, long position, int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        while (buffer.hasRemaining() && channel.read(buffer, position + buffer.position()) >= 0) {
            // until the buffer is full
        }
        return buffer.flip();
    }

    /** Every tensor by name, in the order of the data. */
    public Map<String, TensorInfo> tensors() {
        return header.tensors();
    }

    public Map<String, String> metadata() {
        return header.metadata();
    }

    /**
     * A tensor's bytes, little endian, mapped and read-only; valid as long as it is referenced.
     *
     * @throws SafetensorsException if there is no such tensor
     */
    public ByteBuffer data(String name) {
        TensorInfo t = tensors().get(name);
        if (t == null) {
            throw new SafetensorsException(path + ": no tensor '" + name + "'");
        }
        if (t.bytes() > Integer.MAX_VALUE) {
            throw new SafetensorsException(path + ": tensor '" + name + "' is larger than 2 GiB");
        }
        try {
            return channel.map(MapMode.READ_ONLY, dataStart + t.offset(), t.bytes())
                    .order(ByteOrder.LITTLE_ENDIAN);
        } catch (IOException e) {
            throw new SafetensorsException(path + ": tensor '" + name + "' cannot be read: " + e, e);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new SafetensorsException(path + ": cannot be closed: " + e, e);
        }
    }
}
