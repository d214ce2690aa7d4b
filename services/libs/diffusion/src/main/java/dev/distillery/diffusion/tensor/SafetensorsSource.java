package dev.distillery.diffusion.tensor;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.safetensors.Floats;
import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.diffusion.safetensors.SafetensorsFolder;
import dev.distillery.diffusion.safetensors.TensorInfo;

/**
 * Tensors of safetensors as arrays: every float type becomes float32, integers stay int64 or int32. What needs no
 * conversion is not copied: such an array is the mapped file, and writing to it ends the process.
 */
public final class SafetensorsSource implements Weights.Source {
    private final Map<String, TensorInfo> tensors;
    private final Function<String, ByteBuffer> data;
    private final NDManager manager;

    private SafetensorsSource(Map<String, TensorInfo> tensors, Function<String, ByteBuffer> data, NDManager manager) {
        this.tensors = tensors;
        this.data = data;
        this.manager = manager;
    }

    /** @param manager owner of what is loaded */
    public static SafetensorsSource of(SafetensorsFolder folder, NDManager manager) {
        return new SafetensorsSource(folder.tensors(), folder::data, manager);
    }

    /** @param manager owner of what is loaded */
    public static SafetensorsSource of(SafetensorsFile file, NDManager manager) {
        return new SafetensorsSource(file.tensors(), file::data, manager);
    }

    /** Every tensor of a file by name. */
    public static Map<String, NDArray> loadAll(SafetensorsFile file, NDManager manager) {
        SafetensorsSource source = of(file, manager);
        var all = new LinkedHashMap<String, NDArray>();
        file.tensors().keySet().forEach(name -> all.put(name, source.load(name)));
        return all;
    }

    @Override
    public Set<String> keys() {
        return tensors.keySet();
    }

    @Override
    public Shape shape(String key) {
        return new Shape(tensors.get(key).shape());
    }

    @Override
    public NDArray load(String key) {
        DType dtype = tensors.get(key).dtype();
        ByteBuffer bytes = data.apply(key);
        return switch (dtype) {
            case I64 -> manager.create(bytes, shape(key), DataType.INT64);
            case I32 -> manager.create(bytes, shape(key), DataType.INT32);
            case F32 -> manager.create(bytes, shape(key), DataType.FLOAT32);
            default -> manager.create(widened(bytes, dtype), shape(key), DataType.FLOAT32);
        };
    }

    private static ByteBuffer widened(ByteBuffer bytes, DType dtype) {
        int elements = bytes.remaining() / dtype.bytes();
        ByteBuffer floats = ByteBuffer.allocateDirect(4 * elements).order(ByteOrder.nativeOrder());
        for (int i = 0; i < elements; i++) {
            floats.putFloat(Floats.get(bytes, dtype));
        }
        return floats.flip();
    }
}
