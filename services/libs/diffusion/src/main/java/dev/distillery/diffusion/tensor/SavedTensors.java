package dev.distillery.diffusion.tensor;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;

import ai.djl.ndarray.NDArray;
import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.safetensors.SafetensorsWriter;

/** Arrays as a safetensors file. */
public final class SavedTensors {
    private SavedTensors() {}

    /** As {@link #write(Path, SafetensorsWriter.Plan, Map)}, of a file that says nothing of itself. */
    public static void write(Path file, Map<String, NDArray> tensors) throws IOException {
        write(file, new SafetensorsWriter.Plan(), tensors);
    }

    /**
     * Writes {@code file} anew.
     *
     * @param plan of no tensor yet
     * @param tensors float32, by name
     */
    public static void write(Path file, SafetensorsWriter.Plan plan, Map<String, NDArray> tensors) throws IOException {
        tensors.forEach(
                (name, tensor) -> plan.add(name, DType.F32, tensor.getShape().getShape()));
        FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE);
        try (var writer = new SafetensorsWriter(channel, plan)) {
            for (Map.Entry<String, NDArray> tensor : tensors.entrySet()) {
                writer.write(tensor.getKey(), tensor.getValue().toByteBuffer());
            }
        }
    }
}
