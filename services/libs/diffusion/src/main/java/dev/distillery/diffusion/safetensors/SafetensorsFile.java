package dev.distillery.diffusion.safetensors;

import java.io.EOFException;
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
    private final SafetensorsHeader header;

    private SafetensorsFile(Path path, FileChannel channel, SafetensorsHeader header) {
        this.path = path;
        this.channel = channel;
        this.header = header;
    }

    /** @throws SafetensorsException naming the file and what is wrong with it */
    public static SafetensorsFile open(Path path) {
        try {
            FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
            try {
                return new SafetensorsFile(
                        path, channel, SafetensorsHeader.read(path.toString(), channel.size(), (offset, length) -> fill(
                                        ByteBuffer.allocate(length), channel, offset)
                                .array()));
            } catch (IOException | RuntimeException e) {
                channel.close();
                throw e;
            }
        } catch (IOException e) {
            throw new SafetensorsException(path + ": cannot be read: " + e, e);
        }
    }

    /** @throws EOFException if the file ends before the buffer is full */
    private static ByteBuffer fill(ByteBuffer buffer, FileChannel channel, long position) throws IOException {
        int begin = buffer.position();
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, position + buffer.position() - begin) < 0) {
                throw new EOFException("it ends at byte " + channel.size());
            }
        }
        return buffer;
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
        TensorInfo t = tensor(name);
        if (t.bytes() > Integer.MAX_VALUE) {
            throw new SafetensorsException(path + ": tensor '" + name + "' is larger than 2 GiB");
        }
        try {
            return channel.map(MapMode.READ_ONLY, header.dataStart() + t.offset(), t.bytes())
                    .order(ByteOrder.LITTLE_ENDIAN);
        } catch (IOException e) {
            throw new SafetensorsException(path + ": tensor '" + name + "' cannot be read: " + e, e);
        }
    }

    /**
     * Fills a buffer with a tensor's bytes, little endian, without mapping it.
     *
     * @param from first byte of the tensor that is read
     * @throws SafetensorsException if there is no such tensor, or it ends before
     */
    public void read(String name, long from, ByteBuffer target) {
        TensorInfo t = tensor(name);
        if (from < 0 || from + target.remaining() > t.bytes()) {
            throw new SafetensorsException(path + ": tensor '" + name + "' has " + t.bytes() + " bytes, none at " + from
                    + " to " + (from + target.remaining()));
        }
        try {
            fill(target, channel, header.dataStart() + t.offset() + from);
        } catch (IOException e) {
            throw new SafetensorsException(path + ": tensor '" + name + "' cannot be read: " + e, e);
        }
    }

    private TensorInfo tensor(String name) {
        TensorInfo t = tensors().get(name);
        if (t == null) {
            throw new SafetensorsException(path + ": no tensor '" + name + "'");
        }
        return t;
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
