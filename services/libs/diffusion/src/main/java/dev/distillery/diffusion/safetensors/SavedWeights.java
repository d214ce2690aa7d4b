package dev.distillery.diffusion.safetensors;

import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * A component's weights as the files that {@code save_pretrained} makes of them: one, or shards with an index when they are
 * larger than is wanted. Each streams from the mapped weights through one buffer.
 *
 * @see <a href="https://github.com/huggingface/diffusers/blob/v0.35.1/src/diffusers/models/modeling_utils.py#L647">
 *     ModelMixin.save_pretrained</a>
 * @see <a href="https://github.com/huggingface/huggingface_hub/blob/v0.34.4/src/huggingface_hub/serialization/_base.py#L53">
 *     split_state_dict_into_shards_factory</a>
 */
public final class SavedWeights {
    private final SafetensorsFolder from;
    private final String name;
    private final Format format;
    private final Map<String, List<TensorInfo>> files = new LinkedHashMap<>();

    /**
     * @param type of every floating-point tensor; others stay as they are
     * @param variant part of the files' names, such as {@code fp16}; empty: none
     * @param maxShardBytes the most data that a file holds, unless one tensor alone is larger
     */
    public record Format(DType type, Optional<String> variant, long maxShardBytes) {
        /** The type that a tensor of type {@code from} is saved in. */
        public DType of(DType from) {
            return switch (from) {
                case F64, F32, F16, BF16 -> type;
                default -> from;
            };
        }

        private long bytes(TensorInfo tensor) {
            return tensor.elements() * of(tensor.dtype()).bytes();
        }

        private String dotVariant() {
            return variant.map(v -> "." + v).orElse("");
        }
    }

    /**
     * @param order names of all tensors, which are parted into shards in this order: that of the model's {@code state_dict()}
     * @param name {@code diffusion_pytorch_model}, or {@code model} as transformers calls it
     */
    public SavedWeights(SafetensorsFolder from, Collection<String> order, String name, Format format) {
        this.from = from;
        this.name = name;
        this.format = format;
        Map<String, TensorInfo> tensors = from.tensors();
        List<List<TensorInfo>> shards = shards(order.stream().map(tensors::get).toList());
        for (int i = 0; i < shards.size(); i++) {
            String part = shards.size() == 1 ? "" : String.format("-%05d-of-%05d", i + 1, shards.size());
            // a file's order is that of the reference implementation
            shards.get(i)
                    .sort(Comparator.comparing((TensorInfo tensor) ->
                                    -format.of(tensor.dtype()).bytes())
                            .thenComparing(TensorInfo::name));
            files.put(name + format.dotVariant() + part + ".safetensors", shards.get(i));
        }
    }

    /** A shard is full when the next tensor does not fit; a tensor that fits in none has its own, before the open one. */
    private List<List<TensorInfo>> shards(List<TensorInfo> tensors) {
        List<List<TensorInfo>> full = new ArrayList<>();
        List<TensorInfo> open = new ArrayList<>();
        long bytes = 0;
        for (TensorInfo tensor : tensors) {
            long more = format.bytes(tensor);
            if (more > format.maxShardBytes) {
                full.add(new ArrayList<>(List.of(tensor)));
                continue;
            }
            if (bytes + more > format.maxShardBytes) {
                full.add(open);
                open = new ArrayList<>();
                bytes = 0;
            }
            open.add(tensor);
            bytes += more;
        }
        if (!open.isEmpty()) {
            full.add(open);
        }
        return full;
    }

    /** The names of the files of weights. */
    public Set<String> files() {
        return files.keySet();
    }

    /** Writes one of {@link #files}, and closes the channel. */
    public void write(String file, WritableByteChannel channel) throws IOException {
        List<TensorInfo> tensors = files.get(file);
        var plan = new SafetensorsWriter.Plan();
        tensors.forEach(tensor -> plan.add(tensor.name(), format.of(tensor.dtype()), tensor.shape()));
        try (var writer = new SafetensorsWriter(channel, plan)) {
            for (TensorInfo tensor : tensors) {
                writer.convert(tensor.name(), tensor.dtype(), from.data(tensor.name()));
            }
        }
    }

    public String indexName() {
        return name + ".safetensors.index" + format.dotVariant() + ".json";
    }

    /** Which tensor is in which file, if there are several. */
    public Optional<byte[]> index() {
        if (files.size() == 1) {
            return Optional.empty();
        }
        ObjectNode index = JsonNodeFactory.instance.objectNode();
        long total = files.values().stream()
                .flatMap(List::stream)
                .mapToLong(format::bytes)
                .sum();
        index.putObject("metadata").put("total_size", total);
        Map<String, String> sorted = new TreeMap<>();
        files.forEach((file, tensors) -> tensors.forEach(tensor -> sorted.put(tensor.name(), file)));
        ObjectNode map = index.putObject("weight_map");
        sorted.forEach(map::put);
        return Optional.of(PrettyJson.bytes(index));
    }
}
