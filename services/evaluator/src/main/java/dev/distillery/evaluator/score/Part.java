package dev.distillery.evaluator.score;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

import dev.distillery.diffusion.distill.MatchErrors;
import dev.distillery.diffusion.evaluate.PictureFeatures;
import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.diffusion.safetensors.SafetensorsWriter;

/**
 * What was found of a range of images. Features and not their moments, since these are a thousand times as large, and their
 * sums would depend on how the images are parted.
 *
 * @param timesteps of the bins of the errors
 * @param match {@link MatchErrors#NONE} if it was not asked for
 * @param data of the images of the data; empty if no network looks at them
 */
public record Part(
        long[] timesteps,
        MatchErrors match,
        PictureFeatures student,
        PictureFeatures teacher,
        Optional<PictureFeatures> data) {

    private record Tensor(DType dtype, long[] shape, ByteBuffer bytes) {}

    /** Writes it as a safetensors file, and closes the channel. */
    public void write(WritableByteChannel channel) throws IOException {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        ByteBuffer longs = littleEndian(Long.BYTES * (1 + timesteps.length));
        longs.asLongBuffer().put(match.pairs()).put(timesteps);
        tensors.put("match.pairs_timesteps", new Tensor(DType.I64, new long[] {1L + timesteps.length}, longs));
        tensors.put("match.output", doubles(match.output()));
        tensors.put("match.feature", doubles(match.feature()));
        add(tensors, "student", student);
        add(tensors, "teacher", teacher);
        data.ifPresent(features -> add(tensors, "data", features));
        var plan = new SafetensorsWriter.Plan();
        tensors.forEach((name, tensor) -> plan.add(name, tensor.dtype, tensor.shape));
        try (var writer = new SafetensorsWriter(channel, plan)) {
            for (Map.Entry<String, Tensor> tensor : tensors.entrySet()) {
                writer.write(tensor.getKey(), tensor.getValue().bytes);
            }
        }
    }

    /** What {@link #write} wrote. */
    public static Part read(SafetensorsFile file) {
        long[] longs = new long[1 + file.data("match.output").remaining() / Double.BYTES];
        file.data("match.pairs_timesteps").asLongBuffer().get(longs);
        return new Part(
                Arrays.copyOfRange(longs, 1, longs.length),
                new MatchErrors(longs[0], doubles(file, "match.output"), doubles(file, "match.feature")),
                features(file, "student"),
                features(file, "teacher"),
                file.tensors().containsKey("data.latents") ? Optional.of(features(file, "data")) : Optional.empty());
    }

    private static void add(Map<String, Tensor> tensors, String of, PictureFeatures features) {
        add(tensors, of + ".latents", features.latents());
        add(tensors, of + ".inception", features.inception());
        add(tensors, of + ".log_probabilities", features.logProbabilities());
        tensors.put(of + ".cosines", doubles(features.cosines()));
    }

    private static void add(Map<String, Tensor> tensors, String name, float[][] rows) {
        int width = rows.length == 0 ? 0 : rows[0].length;
        ByteBuffer bytes = littleEndian(Float.BYTES * rows.length * width);
        for (float[] row : rows) {
            for (float value : row) {
                bytes.putFloat(value);
            }
        }
        tensors.put(name, new Tensor(DType.F32, new long[] {rows.length, width}, bytes.flip()));
    }

    private static PictureFeatures features(SafetensorsFile file, String of) {
        return new PictureFeatures(
                rows(file, of + ".latents"),
                rows(file, of + ".inception"),
                rows(file, of + ".log_probabilities"),
                doubles(file, of + ".cosines"));
    }

    private static float[][] rows(SafetensorsFile file, String name) {
        ByteBuffer bytes = bytes(file, name);
        long[] shape = file.tensors().get(name).shape();
        float[][] rows = new float[(int) shape[0]][(int) shape[1]];
        for (float[] row : rows) {
            bytes.asFloatBuffer().get(row);
            bytes.position(bytes.position() + Float.BYTES * row.length);
        }
        return rows;
    }

    private static double[] doubles(SafetensorsFile file, String name) {
        ByteBuffer bytes = bytes(file, name);
        double[] values = new double[bytes.remaining() / Double.BYTES];
        bytes.asDoubleBuffer().get(values);
        return values;
    }

    /** Nothing cannot be mapped. */
    private static ByteBuffer bytes(SafetensorsFile file, String name) {
        return file.tensors().containsKey(name) && file.tensors().get(name).bytes() == 0
                ? littleEndian(0)
                : file.data(name);
    }

    private static Tensor doubles(double[] values) {
        ByteBuffer bytes = littleEndian(Double.BYTES * values.length);
        bytes.asDoubleBuffer().put(values);
        return new Tensor(DType.F64, new long[] {values.length}, bytes);
    }

    private static ByteBuffer littleEndian(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
