package dev.distillery.diffusion.tensor;

import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.safetensors.DType;
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
            case F16 -> widened(bytes, 5, shape(key));
            case BF16 -> widened(bytes, 15, shape(key));
            case F64 -> widened(bytes, 7, shape(key));
            default -> throw new WeightsException("tensor '" + key + "' is " + dtype + ", which is no type of weights");
        };
    }

    /** In PyTorch's own memory: that of Java's buffers is limited to the size of the heap. */
    private NDArray widened(ByteBuffer bytes, int scalarType, Shape shape) {
        try (NDArray raw = manager.create(bytes, new Shape(bytes.remaining()), DataType.INT8);
                NDArray floats = Ops.call("floats_of_bytes", raw, scalarType)) {
            return floats.reshape(shape);
        }
    }
}
