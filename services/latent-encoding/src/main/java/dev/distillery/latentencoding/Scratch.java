package dev.distillery.latentencoding;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

import ai.djl.ndarray.NDArray;

/**
 * A tensor that grows row by row on disk: a shard's latents are larger than the memory they should take, and a safetensors
 * file wants one tensor whole before the next.
 */
final class Scratch implements AutoCloseable {
    private final FileChannel file;

    /** @throws LocalDiskException if it cannot be made there */
    Scratch(Path folder, String name) {
        try {
            Path path = Files.createTempFile(folder, name, ".scratch");
            file = FileChannel.open(
                    path, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE);
        } catch (IOException e) {
            throw new LocalDiskException(e);
        }
    }

    /** Appends float32 rows, and says of the first that is not finite which one it is, or gives -1. */
    int append(NDArray rowsToAdd) {
        int count = (int) rowsToAdd.getShape().get(0);
        float[] values = rowsToAdd.toFloatArray();
        append(values);
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                return i / (values.length / count);
            }
        }
        return -1;
    }

    /** @throws LocalDiskException if there is no room */
    void append(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        try {
            while (bytes.hasRemaining()) {
                file.write(bytes);
            }
        } catch (IOException e) {
            throw new LocalDiskException(e);
        }
    }

    MappedByteBuffer content() throws IOException {
        return file.map(MapMode.READ_ONLY, 0, file.size());
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
