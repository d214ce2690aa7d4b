package dev.distillery.diffusion.safetensors;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

/**
 * The weights of a diffusers or transformers folder: one file or shards with an index, full precision before the
 * {@code fp16} variant, and this before others.
 */
public final class SafetensorsFolder implements AutoCloseable {
    private static final long LARGE_BYTES = 256L << 20;

    private static final List<String> NAMES = List.of(
            "diffusion_pytorch_model.safetensors",
            "diffusion_pytorch_model.safetensors.index.json",
            "model.safetensors",
            "model.safetensors.index.json",
            "diffusion_pytorch_model.fp16.safetensors",
            "diffusion_pytorch_model.safetensors.index.fp16.json",
            "model.fp16.safetensors",
            "model.safetensors.index.fp16.json");

    private static final Pattern OTHER_VARIANT = Pattern.compile("(diffusion_pytorch_)?model"
            + "(\\.((?!.*-\\d{5}-of-\\d{5})[^.]+)\\.safetensors|\\.safetensors\\.index\\.([^.]+)\\.json)");

    private final List<SafetensorsFile> files = new ArrayList<>();
    private final Map<String, SafetensorsFile> owner = new LinkedHashMap<>();

    private SafetensorsFolder() {}

    /** @throws SafetensorsException if the folder has no safetensors weights, or its index does not fit its shards */
    public static SafetensorsFolder open(Path folder) {
        Path found = preferred(folder.toString(), names(folder))
                .map(folder::resolve)
                .orElseThrow(() -> new SafetensorsException(folder + ": no safetensors weights; looked for " + NAMES));
        var weights = new SafetensorsFolder();
        try {
            if (found.toString().endsWith(".json")) {
                weights.openShards(folder, found);
            } else {
                weights.add(SafetensorsFile.open(found));
            }
            return weights;
        } catch (RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    /**
     * Which of a folder's files holds the weights, or is the index of their shards.
     *
     * @param folder for messages
     * @param names of the files that are directly in it
     * @return empty if it has no safetensors weights
     * @throws SafetensorsException if there are several variants, none of them usual
     */
    public static Optional<String> preferred(String folder, Collection<String> names) {
        Optional<String> usual = NAMES.stream().filter(names::contains).findFirst();
        if (usual.isPresent()) {
            return usual;
        }
        List<String> others = names.stream()
                .filter(name -> OTHER_VARIANT.matcher(name).matches())
                .sorted()
                .toList();
        if (others.size() > 1) {
            throw new SafetensorsException(folder + ": weights of several variants, and none without one: " + others);
        }
        return others.stream().findFirst();
    }

    private static List<String> names(Path folder) {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(Files::isRegularFile)
                    .map(file -> file.getFileName().toString())
                    .toList();
        } catch (IOException e) {
            throw new SafetensorsException(folder + ": cannot be read: " + e, e);
        }
    }

    private void openShards(Path folder, Path index) {
        var expected = new LinkedHashMap<String, String>();
        try {
            JsonNode map =
                    new ObjectMapper().readTree(Files.readAllBytes(index)).path("weight_map");
            map.fields()
                    .forEachRemaining(e -> expected.put(e.getKey(), e.getValue().asText()));
        } catch (IOException e) {
            throw new SafetensorsException(index + ": cannot be read: " + e.getMessage(), e);
        }
        for (String name : new TreeSet<>(expected.values())) {
            Path shard = folder.resolve(name);
            if (!folder.equals(shard.getParent()) || !Files.isRegularFile(shard)) {
                throw new SafetensorsException(index + ": there is no shard '" + name + "' beside it");
            }
            add(SafetensorsFile.open(shard));
            for (String tensor : files.get(files.size() - 1).tensors().keySet()) {
                String listed = expected.getOrDefault(tensor, name);
                if (!listed.equals(name)) {
                    throw new SafetensorsException(
                            index + ": tensor '" + tensor + "' should be in '" + listed + "' but is in '" + name + "'");
                }
            }
        }
        if (!owner.keySet().equals(expected.keySet())) {
            var difference = new TreeSet<>(owner.keySet());
            difference.removeAll(expected.keySet());
            var missing = new TreeSet<>(expected.keySet());
            missing.removeAll(owner.keySet());
            throw new SafetensorsException(
                    index + ": the shards lack " + missing + " and hold " + difference + ", which it does not list");
        }
    }

    private void add(SafetensorsFile file) {
        files.add(file);
        file.tensors().keySet().forEach(name -> owner.put(name, file));
    }

    /** Every tensor of all shards by name. */
    public Map<String, TensorInfo> tensors() {
        var all = new LinkedHashMap<String, TensorInfo>();
        owner.forEach((name, file) -> all.put(name, file.tensors().get(name)));
        return all;
    }

    /** As {@link SafetensorsFile#data}. */
    public ByteBuffer data(String name) {
        SafetensorsFile file = owner.get(name);
        if (file == null) {
            throw new SafetensorsException("no tensor '" + name + "' in any shard");
        }
        return file.data(name);
    }

    /**
     * Closes the files. What is mapped of them counts as resident memory until its buffers are collected, and a process
     * whose data are tensors collects rarely; so a large folder asks for it.
     */
    @Override
    public void close() {
        files.forEach(SafetensorsFile::close);
        long mapped = tensors().values().stream().mapToLong(TensorInfo::bytes).sum();
        if (mapped > LARGE_BYTES) {
            System.gc();
        }
    }
}
