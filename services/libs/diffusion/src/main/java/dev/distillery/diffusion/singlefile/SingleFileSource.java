package dev.distillery.diffusion.singlefile;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

import dev.distillery.diffusion.safetensors.SafetensorsHeader;

/** A single file, wherever it is. */
public interface SingleFileSource extends SafetensorsHeader.Bytes {
    /** For messages. */
    String name();

    long size() throws IOException;

    /** The file of that name, such as {@code unet/config.json}, below the folder that this one is in. */
    Optional<byte[]> beside(String name) throws IOException;

    /** A file of this machine. */
    static SingleFileSource of(Path file) {
        return new SingleFileSource() {
            @Override
            public String name() {
                return file.toString();
            }

            @Override
            public long size() throws IOException {
                return Files.size(file);
            }

            @Override
            public Optional<byte[]> beside(String name) throws IOException {
                Path beside = file.resolveSibling(name);
                return Files.isRegularFile(beside) ? Optional.of(Files.readAllBytes(beside)) : Optional.empty();
            }

            @Override
            public byte[] read(long offset, int length) throws IOException {
                ByteBuffer bytes = ByteBuffer.allocate(length);
                try (FileChannel channel = FileChannel.open(file)) {
                    while (bytes.hasRemaining() && channel.read(bytes, offset + bytes.position()) >= 0) {
                        // until it is full
                    }
                }
                return bytes.array();
            }
        };
    }
}
