package dev.distillery.diffusion.safetensors;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.OptionalDouble;
import java.util.Random;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import dev.distillery.diffusion.safetensors.SafetensorsWriter.Plan;
import dev.distillery.diffusion.tensor.Torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class SafetensorsTest {
    @TempDir
    Path folder;

    private static ByteBuffer floats(float... values) {
        ByteBuffer buffer = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            buffer.putFloat(value);
        }
        return buffer.flip();
    }

    private Path written(String name, Plan plan, ByteBuffer... data) throws IOException {
        Path file = folder.resolve(name);
        try (var writer = new SafetensorsWriter(Channels.newChannel(Files.newOutputStream(file)), plan)) {
            int i = 0;
            for (TensorInfo t : plan.tensors()) {
                writer.convert(t.name(), DType.F32, data[i++]);
            }
        }
        return file;
    }

    @Test
    void shouldReadBackWhatItWrote() throws IOException {
        // Given
        Plan plan =
                new Plan().add("a", DType.F32, 2, 2).add("odd", DType.F32, 3).add("empty", DType.F32, 0);
        // When
        Path file = written("x.safetensors", plan, floats(1, 2, 3, 4), floats(5, 6, 7), floats());
        // Then
        assertThat(Files.size(file)).isEqualTo(plan.fileBytes());
        try (SafetensorsFile read = SafetensorsFile.open(file)) {
            assertThat(read.metadata()).containsEntry("format", "pt");
            assertThat(read.tensors().keySet()).containsExactlyInAnyOrder("a", "odd", "empty");
            assertThat(read.tensors().get("a").shape()).containsExactly(2, 2);
            assertThat(read.data("odd").getFloat(4)).isEqualTo(6);
        }
    }

    @Test
    void shouldBeginTheDataAtAMultipleOfEight() throws IOException {
        Path file = written("x.safetensors", new Plan().add("abc", DType.F16, 1), floats(1));
        long header = ByteBuffer.wrap(Files.readAllBytes(file))
                .order(ByteOrder.LITTLE_ENDIAN)
                .getLong();
        assertThat(header % 8).isZero();
    }

    @Test
    void shouldReadShardsThroughTheirIndex() throws IOException {
        // Given
        written("model-00001-of-00002.safetensors", new Plan().add("a", DType.F32, 1), floats(1));
        written("model-00002-of-00002.safetensors", new Plan().add("b", DType.F32, 1), floats(2));
        Files.writeString(
                folder.resolve("model.safetensors.index.json"),
                "{\"weight_map\": {\"a\": \"model-00001-of-00002.safetensors\", \"b\":"
                        + " \"model-00002-of-00002.safetensors\"}}");
        // When
        try (SafetensorsFolder read = SafetensorsFolder.open(folder)) {
            // Then
            assertThat(read.tensors()).containsOnlyKeys("a", "b");
            assertThat(read.data("b").getFloat()).isEqualTo(2);
        }
    }

    @Test
    void shouldRefuseAShardThatHoldsWhatTheIndexHasInAnother() throws IOException {
        written("1.safetensors", new Plan().add("a", DType.F32, 1).add("b", DType.F32, 1), floats(1), floats(2));
        written("2.safetensors", new Plan().add("b", DType.F32, 1), floats(3));
        Files.writeString(
                folder.resolve("model.safetensors.index.json"),
                "{\"weight_map\": {\"a\": \"1.safetensors\", \"b\": \"2.safetensors\"}}");
        assertThatThrownBy(() -> SafetensorsFolder.open(folder))
                .hasMessageContaining("'b' should be in '2.safetensors'");
    }

    /** A sparse file: it takes no room on the disk. */
    @Test
    void shouldReadATensorBeyondTwoGibibytes() throws IOException {
        // Given
        long gib2 = 1L << 31;
        Plan plan = new Plan()
                .add("first", DType.U8, gib2 - 8)
                .add("second", DType.U8, gib2 - 8)
                .add("last", DType.U8, 32);
        Path file = folder.resolve("large.safetensors");
        try (var channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            assertThatThrownBy(() -> new SafetensorsWriter(staysOpen(channel), plan).close())
                    .hasMessageContaining("'first' was not written");
            channel.write(ByteBuffer.wrap(new byte[] {42}), plan.fileBytes() - 1);
        }
        // When
        try (SafetensorsFile read = SafetensorsFile.open(file)) {
            // Then
            assertThat(Files.size(file)).isGreaterThan(1L << 32);
            assertThat(read.data("last").get(31)).isEqualTo((byte) 42);
            assertThat(read.data("second").remaining()).isEqualTo(Integer.MAX_VALUE - 7);
        }
    }

    private static WritableByteChannel staysOpen(FileChannel channel) {
        return new WritableByteChannel() {
            @Override
            public int write(ByteBuffer data) throws IOException {
                return channel.write(data);
            }

            @Override
            public boolean isOpen() {
                return true;
            }

            @Override
            public void close() {
                // the test goes on with the channel
            }
        };
    }

    @Test
    void shouldRefuseBytesThatAreNoWholeElements() throws IOException {
        Plan plan = new Plan().add("a", DType.F32, 1);
        Path file = folder.resolve("x.safetensors");
        try (var out = Files.newOutputStream(file)) {
            var writer = new SafetensorsWriter(Channels.newChannel(out), plan);
            assertThatThrownBy(() -> writer.convert("a", DType.F32, ByteBuffer.allocate(5)))
                    .hasMessageContaining("5 bytes of F32");
        }
    }

    @Test
    void shouldNotFollowAnIndexOutOfItsFolder() throws IOException {
        Files.writeString(
                folder.resolve("model.safetensors.index.json"), "{\"weight_map\": {\"a\": \"../other.safetensors\"}}");
        assertThatThrownBy(() -> SafetensorsFolder.open(folder)).hasMessageContaining("../other.safetensors");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "not json; {{{{; the header is not JSON",
                "list; []; not a JSON object",
                "no dtype; {\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}; 'a' has the unknown dtype",
                "odd dtype; {\"a\":{\"dtype\":\"Q4\",\"shape\":[1],\"data_offsets\":[0,4]}}; unknown dtype \"Q4\"",
                "no shape; {\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}; 'a' has no list 'shape'",
                "negative; {\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}; has -1 in 'shape'",
                "overflow; {\"a\":{\"dtype\":\"F32\",\"shape\":[9223372036854775807,8],\"data_offsets\":[0,4]}}; impossible shape",
                "size; {\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}; 8 bytes, but holds 4",
                "backwards; {\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}; begin <= end",
                "gap; {\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[3,4]}}; begins at byte 3",
                "overlap; {\"a\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,2]},\"b\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[1,3]}}; 'b' begins at byte 1",
                "metadata; {\"__metadata__\":{\"format\":1},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}; object of strings",
                "metadata list; {\"__metadata__\":[],\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}; object of strings",
                "twice; {\"a\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,4]},\"a\":{}}; Duplicate field 'a'",
                "truncated; {\"a\":{\"dtype\":\"F32\",\"shape\":[9],\"data_offsets\":[0,36]}}; truncated",
                "trailing; {\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}; trailing bytes after tensor 'a'"
            })
    void shouldRefuseAMalformedHeaderWithFileTensorAndReason(String name, String json, String reason)
            throws IOException {
        // Given
        byte[] header = json.strip().getBytes(StandardCharsets.UTF_8);
        ByteBuffer content = ByteBuffer.allocate(8 + header.length + 4).order(ByteOrder.LITTLE_ENDIAN);
        content.putLong(header.length).put(header).putInt(0);
        Path file = folder.resolve("bad.safetensors");
        Files.write(file, content.array());
        // Then
        assertThatThrownBy(() -> SafetensorsFile.open(file))
                .isInstanceOf(SafetensorsException.class)
                .hasMessageContaining("bad.safetensors")
                .hasMessageContaining(reason.strip());
    }

    @ParameterizedTest
    @CsvSource({
        "0, truncated",
        "1, not safetensors",
        "1000000, truncated",
        "100000001, not safetensors",
        "-1, not safetensors"
    })
    void shouldRefuseAnImpossibleHeaderLength(long length, String reason) throws IOException {
        Path file = folder.resolve("bad.safetensors");
        ByteBuffer field = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
        Files.write(file, length == 0 ? new byte[3] : field.array());
        assertThatThrownBy(() -> SafetensorsFile.open(file)).hasMessageContaining(reason);
    }

    @Test
    void shouldRefuseAFileThatWasCutOff() throws IOException {
        Path file = written("x.safetensors", new Plan().add("a", DType.F32, 4), floats(1, 2, 3, 4));
        try (var channel = Files.newByteChannel(file, StandardOpenOption.WRITE)) {
            channel.truncate(Files.size(file) - 1);
        }
        assertThatThrownBy(() -> SafetensorsFile.open(file)).hasMessageContaining("truncated");
    }

    @Test
    void shouldRefuseToLeaveOutADeclaredTensor() {
        Plan plan = new Plan().add("a", DType.F32, 1);
        assertThatThrownBy(() -> written("x.safetensors", plan.add("b", DType.F32, 1), floats(1), floats(1, 2)))
                .hasMessageContaining("'b'");
    }

    /** All 65,536 bit patterns to float and back, against PyTorch's own conversion. */
    @Test
    void shouldConvertHalfPrecisionAsPyTorchDoes() {
        try (NDManager scope = Torch.newManager()) {
            ByteBuffer bits = ByteBuffer.allocateDirect(2 << 16).order(ByteOrder.nativeOrder());
            for (int i = 0; i < 1 << 16; i++) {
                bits.putShort((short) i);
            }
            NDArray half = scope.create(bits.flip(), new ai.djl.ndarray.types.Shape(1 << 16), DataType.FLOAT16);
            float[] torch = half.toType(DataType.FLOAT32, true).toFloatArray();
            for (int i = 0; i < 1 << 16; i++) {
                float ours = Floats.fp16ToFloat((short) i);
                assertThat(Float.floatToIntBits(ours)).isEqualTo(Float.floatToIntBits(torch[i]));
                if (!Float.isNaN(ours)) {
                    assertThat(Floats.floatToFp16(ours)).isEqualTo((short) i);
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "1.00048828125, 0x3c00", // halfway between two fp16: to even
        "1.00146484375, 0x3c02",
        "65519.99, 0x7bff",
        "65520, 0x7c00",
        "-65520, 0xfc00",
        "5.9604645E-8, 0x0001",
        "2.9802322E-8, 0x0000",
        "2.9802326E-8, 0x0001",
        "6.1005353E-5, 0x0400"
    })
    void shouldRoundToTheNearestEvenHalf(float value, String bits) {
        assertThat(Floats.floatToFp16(value)).isEqualTo((short) (int) Integer.decode(bits));
    }

    @ParameterizedTest
    @CsvSource({"1.00390625, 0x3f80", "1.01171875, 0x3f82", "3.4028235E38, 0x7f80", "-0.0, 0x8000"})
    void shouldRoundToTheNearestEvenBfloat16(float value, String bits) {
        assertThat(Floats.floatToBf16(value)).isEqualTo((short) (int) Integer.decode(bits));
    }

    @ParameterizedTest
    @CsvSource({"F32, F16", "F32, BF16", "F16, F32", "BF16, F32", "F64, F16", "F32, F64", "BF16, F16"})
    void shouldConvertManyElementsAsItConvertsEach(DType from, DType to) {
        // Given more than a block, with every kind of number that fp16 can hold
        int n = 200_001;
        var random = new Random(1);
        ByteBuffer source = ByteBuffer.allocate(n * from.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < n; i++) {
            float value = (float) random.nextGaussian() * (float) Math.pow(10, random.nextInt(12) - 9);
            Floats.put(source, from, i % 1000 == 0 ? Float.NaN : i % 1001 == 0 ? Float.NEGATIVE_INFINITY : value);
        }
        ByteBuffer expected = ByteBuffer.allocate(n * to.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (source.flip(); source.hasRemaining(); ) {
            Floats.put(expected, to, Floats.get(source, from));
        }
        // When
        ByteBuffer actual = ByteBuffer.allocateDirect(n * to.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        OptionalDouble tooLarge = Floats.convert(source.flip(), from, actual, to);
        // Then
        assertThat(tooLarge).isEmpty();
        assertThat(actual).isEqualTo(expected.flip());
    }

    @Test
    void shouldNameTheTensorThatFp16CannotHold() {
        // Given
        Plan plan = new Plan().add("large", DType.F16, 3);
        // When, then
        assertThatThrownBy(() -> written("x.safetensors", plan, floats(1, 70_000, 2)))
                .hasMessageContaining("Tensor 'large' holds 70000.0, which F16 cannot hold");
    }
}
