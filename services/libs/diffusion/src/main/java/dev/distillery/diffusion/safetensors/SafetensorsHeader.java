package dev.distillery.diffusion.safetensors;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

/**
 * The JSON header of a file, checked: every tensor's bytes fit its shape, and the tensors fill the file without gap or
 * overlap, as the reference implementation demands.
 *
 * @param tensors by name, in the order of the data
 * @param dataStart where the data begins in the file
 * @see <a href="https://github.com/huggingface/safetensors#format">the format</a>
 */
public record SafetensorsHeader(Map<String, TensorInfo> tensors, Map<String, String> metadata, long dataStart) {
    /** The reference implementation's limit. */
    private static final int MAX_BYTES = 100_000_000;

    private static final ObjectMapper JSON = new ObjectMapper()
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    /** A file's bytes, wherever it is. */
    @FunctionalInterface
    public interface Bytes {
        /** Exactly so many, which are there. */
        byte[] read(long offset, int length) throws IOException;
    }

    /**
     * Reads the header and nothing else.
     *
     * @param file for messages
     * @param size of the whole file in bytes
     * @throws SafetensorsException saying what is wrong with the file
     */
    public static SafetensorsHeader read(String file, long size, Bytes bytes) throws IOException {
        if (size < 8) {
            throw new SafetensorsException(
                    file + ": truncated: " + size + " bytes, less than the header's length field");
        }
        long length =
                ByteBuffer.wrap(bytes.read(0, 8)).order(ByteOrder.LITTLE_ENDIAN).getLong();
        if (length < 2 || length > MAX_BYTES) {
            throw new SafetensorsException(
                    file + ": not safetensors: a header of " + Long.toUnsignedString(length) + " bytes");
        }
        if (8 + length > size) {
            throw new SafetensorsException(file + ": truncated: a header of " + length + " bytes in a file of " + size);
        }
        return parse(file, bytes.read(8, (int) length), 8 + length, size);
    }

    private static SafetensorsHeader parse(String file, byte[] json, long dataStart, long size) {
        JsonNode root;
        try {
            root = JSON.readTree(json);
        } catch (IOException e) {
            throw new SafetensorsException(file + ": the header is not JSON: " + firstLine(e), e);
        }
        if (root == null || !root.isObject()) {
            throw new SafetensorsException(file + ": the header is not a JSON object");
        }
        var tensors = new ArrayList<TensorInfo>();
        var metadata = new LinkedHashMap<String, String>();
        root.fields().forEachRemaining(field -> {
            if (field.getKey().equals("__metadata__")) {
                metadata.putAll(metadata(file, field.getValue()));
            } else {
                tensors.add(tensor(file, field.getKey(), field.getValue()));
            }
        });
        tensors.sort(Comparator.comparingLong(TensorInfo::offset).thenComparingLong(TensorInfo::bytes));
        checkLayout(file, tensors, size - dataStart);
        var byName = new LinkedHashMap<String, TensorInfo>();
        tensors.forEach(t -> byName.put(t.name(), t));
        return new SafetensorsHeader(byName, metadata, dataStart);
    }

    private static Map<String, String> metadata(String file, JsonNode node) {
        var metadata = new LinkedHashMap<String, String>();
        node.fields()
                .forEachRemaining(m -> metadata.put(m.getKey(), m.getValue().asText()));
        if (!node.isObject() || !StreamSupport.stream(node.spliterator(), false).allMatch(JsonNode::isTextual)) {
            throw new SafetensorsException(file + ": '__metadata__' must be an object of strings");
        }
        return metadata;
    }

    private static TensorInfo tensor(String file, String name, JsonNode node) {
        String where = file + ": tensor '" + name + "'";
        DType dtype;
        try {
            dtype = DType.valueOf(node.path("dtype").asText());
        } catch (IllegalArgumentException e) {
            throw new SafetensorsException(where + " has the unknown dtype " + node.path("dtype"), e);
        }
        long[] shape = numbers(where, "shape", node.path("shape"));
        long[] offsets = numbers(where, "data_offsets", node.path("data_offsets"));
        if (offsets.length != 2 || offsets[1] < offsets[0]) {
            throw new SafetensorsException(where + " has data_offsets " + node.path("data_offsets")
                    + ", which should be [begin, end] with begin <= end");
        }
        long bytes = offsets[1] - offsets[0];
        long expected;
        try {
            expected = dtype.bytes();
            for (long size : shape) {
                expected = Math.multiplyExact(expected, size);
            }
        } catch (ArithmeticException e) {
            throw new SafetensorsException(where + " has the impossible shape " + node.path("shape"), e);
        }
        if (bytes != expected) {
            throw new SafetensorsException(
                    where + " is " + dtype + " " + node.path("shape") + ", " + expected + " bytes, but holds " + bytes);
        }
        return new TensorInfo(name, dtype, shape, offsets[0], bytes);
    }

    private static long[] numbers(String where, String key, JsonNode node) {
        if (!node.isArray()) {
            throw new SafetensorsException(where + " has no list '" + key + "'");
        }
        long[] numbers = new long[node.size()];
        for (int i = 0; i < numbers.length; i++) {
            if (!node.get(i).canConvertToLong()
                    || !node.get(i).isIntegralNumber()
                    || node.get(i).asLong() < 0) {
                throw new SafetensorsException(where + " has " + node.get(i) + " in '" + key + "'");
            }
            numbers[i] = node.get(i).asLong();
        }
        return numbers;
    }

    private static void checkLayout(String file, List<TensorInfo> tensors, long dataBytes) {
        long end = 0;
        for (TensorInfo t : tensors) {
            if (t.offset() != end) {
                throw new SafetensorsException(file + ": tensor '" + t.name() + "' begins at byte " + t.offset()
                        + " but the one before ends at " + end);
            }
            end = t.offset() + t.bytes();
        }
        if (end != dataBytes) {
            String last = tensors.isEmpty()
                    ? ""
                    : " after tensor '" + tensors.get(tensors.size() - 1).name() + "'";
            throw new SafetensorsException(
                    file + ": " + (end > dataBytes ? "truncated: " : "trailing bytes" + last + ": ")
                            + "the header describes " + end + " bytes of data but there are " + dataBytes);
        }
    }

    private static String firstLine(IOException e) {
        return e.getMessage().lines().findFirst().orElse("");
    }
}
