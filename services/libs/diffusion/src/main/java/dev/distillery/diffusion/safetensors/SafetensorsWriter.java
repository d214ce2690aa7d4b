package dev.distillery.diffusion.safetensors;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalDouble;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * Writes a file as a stream: the header first, from what is declared, then each tensor's bytes in the declared order. So
 * a file of any size goes to a disk or to the store through one buffer, and its length is known before its content.
 */
public final class SafetensorsWriter implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static final int CONVERTED_AT_ONCE = 1 << 20;

    private final ByteBuffer buffer =
            ByteBuffer.allocateDirect(CONVERTED_AT_ONCE * Double.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private final WritableByteChannel channel;
    private final Iterator<TensorInfo> toCome;

    /** Names, types and shapes in the order in which the data will come. */
    public static final class Plan {
        private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
        private final Map<String, String> metadata = new LinkedHashMap<>(Map.of("format", "pt"));
        private long dataBytes;

        /** Something that the file says of itself. */
        public Plan metadata(String key, String value) {
            metadata.put(key, value);
            return this;
        }

        public Plan add(String name, DType dtype, long... shape) {
            long bytes = Arrays.stream(shape).reduce(dtype.bytes(), Math::multiplyExact);
            if (tensors.put(name, new TensorInfo(name, dtype, shape, dataBytes, bytes)) != null) {
                throw new IllegalArgumentException("tensor '" + name + "' is declared twice");
            }
            dataBytes += bytes;
            return this;
        }

        public Collection<TensorInfo> tensors() {
            return tensors.values();
        }

        /** Length of the whole file. */
        public long fileBytes() {
            return header().length + dataBytes;
        }

        /** What a file begins with: length field and JSON, padded so that the data begins at a multiple of 8. */
        public byte[] header() {
            ObjectNode root = JSON.createObjectNode();
            ObjectNode about = root.putObject("__metadata__");
            metadata.forEach(about::put);
            for (TensorInfo t : tensors.values()) {
                ObjectNode node = root.putObject(t.name());
                node.put("dtype", t.dtype().name());
                Arrays.stream(t.shape()).forEach(node.putArray("shape")::add);
                node.putArray("data_offsets").add(t.offset()).add(t.offset() + t.bytes());
            }
            try {
                byte[] json = JSON.writeValueAsString(root).getBytes(StandardCharsets.UTF_8);
                byte[] header = new byte[(8 + json.length + 7) / 8 * 8];
                Arrays.fill(header, (byte) ' ');
                System.arraycopy(json, 0, header, 8, json.length);
                ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length - 8);
                return header;
            } catch (JsonProcessingException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** Writes the header. The channel is closed with the writer. */
    public SafetensorsWriter(WritableByteChannel channel, Plan plan) throws IOException {
        this.channel = channel;
        this.toCome = plan.tensors.values().iterator();
        writeFully(ByteBuffer.wrap(plan.header()));
    }

    /**
     * Writes the next tensor.
     *
     * @param data its bytes, little endian, from position to limit
     * @throws IllegalArgumentException if another tensor, or another length, was declared here
     */
    public void write(String name, ByteBuffer data) throws IOException {
        TensorInfo next = next(name);
        if (data.remaining() != next.bytes()) {
            throw new IllegalArgumentException(
                    "tensor '" + name + "' was declared with " + next.bytes() + " bytes but has " + data.remaining());
        }
        writeFully(data);
    }

    /**
     * Writes the next tensor, converted from another float type through a buffer of a few megabytes.
     *
     * @throws IllegalArgumentException naming tensor and value if a number is too large for the type
     * @param parts little endian elements of type {@code from}, one part after another
     */
    public void convert(String name, DType from, ByteBuffer... parts) throws IOException {
        TensorInfo next = next(name);
        long bytes = Arrays.stream(parts).mapToLong(ByteBuffer::remaining).sum();
        if (bytes != next.elements() * from.bytes()) {
            throw new IllegalArgumentException("tensor '" + name + "' was declared with " + next.elements()
                    + " elements but has " + bytes + " bytes of " + from);
        }
        for (ByteBuffer part : parts) {
            if (from == next.dtype()) {
                writeFully(part);
            } else {
                convert(next, from, part);
            }
        }
    }

    private void convert(TensorInfo next, DType from, ByteBuffer data) throws IOException {
        ByteBuffer source = data.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        DType to = next.dtype();
        while (source.hasRemaining()) {
            int elements = Math.min(CONVERTED_AT_ONCE, source.remaining() / from.bytes());
            ByteBuffer part =
                    source.slice(source.position(), elements * from.bytes()).order(ByteOrder.LITTLE_ENDIAN);
            buffer.clear().limit(elements * to.bytes());
            OptionalDouble tooLarge = Floats.convert(part, from, buffer, to);
            if (tooLarge.isPresent()) { // it would be found only when the model draws black images
                throw new IllegalArgumentException("Tensor '" + next.name() + "' holds " + tooLarge.getAsDouble()
                        + ", which " + to + " cannot hold: bf16 and fp32 can");
            }
            writeFully(buffer);
            source.position(source.position() + part.capacity());
        }
    }

    private TensorInfo next(String name) {
        if (!toCome.hasNext()) {
            throw new IllegalArgumentException("tensor '" + name + "' comes after all that were declared");
        }
        TensorInfo next = toCome.next();
        if (!next.name().equals(name)) {
            throw new IllegalArgumentException("tensor '" + name + "' comes where '" + next.name() + "' was declared");
        }
        return next;
    }

    private void writeFully(ByteBuffer data) throws IOException {
        while (data.hasRemaining()) {
            channel.write(data);
        }
    }

    /** @throws IOException if declared tensors were not written: the file is then incomplete */
    @Override
    public void close() throws IOException {
        channel.close();
        if (toCome.hasNext()) {
            throw new IOException(
                    "incomplete safetensors file: tensor '" + toCome.next().name() + "' was not written");
        }
    }
}
