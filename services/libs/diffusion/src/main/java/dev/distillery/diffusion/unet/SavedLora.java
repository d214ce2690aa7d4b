package dev.distillery.diffusion.unet;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.diffusion.safetensors.SafetensorsFolder;
import dev.distillery.diffusion.safetensors.SafetensorsWriter;
import dev.distillery.diffusion.safetensors.TensorInfo;
import dev.distillery.diffusion.tensor.SafetensorsSource;
import dev.distillery.diffusion.tensor.SavedTensors;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.tensor.Weights;

/**
 * A U-Net's LoRA in a file: {@code pipe.load_lora_weights} of diffusers reads what is written here, and here is read what
 * diffusers' {@code save_lora_weights} writes.
 *
 * @see <a href="https://github.com/huggingface/diffusers/blob/v0.35.1/src/diffusers/utils/state_dict_utils.py#L100">diffusers'
 *     names: those of attentions differ from those of the feed-forward</a>
 */
public final class SavedLora implements AutoCloseable {
    /** What {@code load_lora_weights} looks for in a folder. */
    public static final String FILE = "pytorch_lora_weights.safetensors";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String ABOUT = "lora_adapter_metadata";
    private static final String UNET = "unet.";
    private static final Pattern DIFFUSERS = Pattern.compile("(.*)\\.lora\\.(down|up)\\.weight");

    /** Who is to read a file. */
    public enum Naming {
        /** {@code unet.down_blocks.1...to_q.lora.down.weight}; rank and alpha are in the metadata. */
        DIFFUSERS,
        /** {@code lora_unet_down_blocks_1_..._to_q.lora_down.weight} and {@code .alpha}: kohya's scripts, ComfyUI, A1111. */
        KOHYA
    }

    private final SafetensorsFile file;
    private final Lora lora;
    private final Map<String, String> keys = new LinkedHashMap<>(); // peft's -> the file's

    private SavedLora(SafetensorsFile file, Path path) {
        this.file = file;
        file.tensors().keySet().forEach(key -> keys.put(peft(key, path), key));
        lora = settings(file, path);
    }

    /**
     * Opens a file in diffusers' naming.
     *
     * @throws IllegalArgumentException if it is none, or does not say its alpha
     */
    public static SavedLora open(Path path) {
        SafetensorsFile file = SafetensorsFile.open(path);
        try {
            return new SavedLora(file, path);
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private static String peft(String key, Path path) {
        if (key.startsWith(UNET)) {
            String name = key.substring(UNET.length());
            if (Lora.isAdapter(name)) {
                return name;
            }
            var diffusers = DIFFUSERS.matcher(name);
            if (diffusers.matches()) {
                return diffusers.group(1) + (diffusers.group(2).equals("down") ? Lora.A : Lora.B);
            }
        }
        throw new IllegalArgumentException(
                path + ": '" + key + "' is no key of a U-Net's LoRA as diffusers writes them");
    }

    private static Lora settings(SafetensorsFile file, Path path) {
        String about = file.metadata().get(ABOUT);
        if (about == null) {
            throw new IllegalArgumentException(
                    path + ": its metadata lacks '" + ABOUT + "', which says rank and alpha");
        }
        try {
            JsonNode json = JSON.readTree(about);
            List<String> targets = new ArrayList<>();
            json.path(UNET + "target_modules").forEach(target -> targets.add(target.asText()));
            return new Lora(
                    json.path(UNET + "r").asInt(),
                    json.path(UNET + "lora_alpha").asDouble(),
                    targets);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(path + ": its metadata's '" + ABOUT + "' is not JSON", e);
        }
    }

    public Lora lora() {
        return lora;
    }

    /** Its A and B by peft's keys, loaded into {@code manager}. */
    public Weights.Source source(NDManager manager) {
        SafetensorsSource tensors = SafetensorsSource.of(file, manager);
        return new Weights.Source() {
            @Override
            public Set<String> keys() {
                return keys.keySet();
            }

            @Override
            public Shape shape(String key) {
                return tensors.shape(keys.get(key));
            }

            @Override
            public NDArray load(String key) {
                return tensors.load(keys.get(key));
            }
        };
    }

    /**
     * Writes a file from another one.
     *
     * @param channel is closed
     */
    public void write(WritableByteChannel channel, Naming naming, DType type) throws IOException {
        var plan = plan(naming);
        keys.forEach((key, name) -> {
            plan.add(named(key, naming), type, file.tensors().get(name).shape());
            if (hasAlpha(key, naming)) {
                plan.add(alphaName(key), type);
            }
        });
        try (var writer = new SafetensorsWriter(channel, plan)) {
            for (Map.Entry<String, String> key : keys.entrySet()) {
                writer.convert(
                        named(key.getKey(), naming),
                        file.tensors().get(key.getValue()).dtype(),
                        file.data(key.getValue()));
                if (hasAlpha(key.getKey(), naming)) {
                    writer.convert(alphaName(key.getKey()), DType.F32, alpha());
                }
            }
        }
    }

    private ByteBuffer alpha() {
        return ByteBuffer.allocate(Float.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putFloat((float) lora.alpha())
                .flip();
    }

    private SafetensorsWriter.Plan plan(Naming naming) {
        return naming == Naming.DIFFUSERS ? plan(lora) : new SafetensorsWriter.Plan();
    }

    /** Every module has one, beside its A. */
    private static boolean hasAlpha(String key, Naming naming) {
        return naming == Naming.KOHYA && key.endsWith(Lora.A);
    }

    private static String alphaName(String key) {
        return kohyaModule(key) + ".alpha";
    }

    private static String kohyaModule(String key) {
        return "lora_unet_" + Lora.layer(key).replace('.', '_');
    }

    private static String named(String key, Naming naming) {
        boolean down = key.endsWith(Lora.A);
        if (naming == Naming.KOHYA) {
            return kohyaModule(key) + (down ? ".lora_down.weight" : ".lora_up.weight");
        }
        String layer = Lora.layer(key);
        boolean ofAttention = layer.matches(".*\\.(to_q|to_k|to_v|to_out\\.0)");
        return UNET + (ofAttention ? layer + (down ? ".lora.down.weight" : ".lora.up.weight") : key);
    }

    /** What diffusers and peft need to make the adapter again; what is not said has its default. */
    private static SafetensorsWriter.Plan plan(Lora lora) {
        ObjectNode about = JSON.createObjectNode();
        about.put(UNET + "r", lora.rank());
        if (lora.alpha() == Math.rint(lora.alpha())) {
            about.put(UNET + "lora_alpha", (long) lora.alpha());
        } else {
            about.put(UNET + "lora_alpha", lora.alpha());
        }
        lora.targets().forEach(about.putArray(UNET + "target_modules")::add);
        about.putObject(UNET + "rank_pattern"); // diffusers reads them as they stand
        about.putObject(UNET + "alpha_pattern");
        about.put(UNET + "lora_bias", false);
        about.put(UNET + "use_dora", false);
        return new SafetensorsWriter.Plan().metadata(ABOUT, about.toString());
    }

    /**
     * Writes adapters as they are in memory, in float32 and diffusers' naming.
     *
     * @param adapters by peft's keys
     */
    public static void write(Path path, Lora lora, Map<String, NDArray> adapters) throws IOException {
        var named = new LinkedHashMap<String, NDArray>();
        adapters.forEach((key, array) -> named.put(named(key, Naming.DIFFUSERS), array));
        SavedTensors.write(path, plan(lora), named);
    }

    /**
     * Writes a network whose weights are {@code W + alpha / rank * B A}: it does without an adapter what the base does with it.
     *
     * @param base the U-Net's folder
     * @param to the file, in float32
     * @throws IllegalArgumentException if the base lacks a layer that is adapted, or has it in another shape
     */
    public void merge(Path base, Path to) throws IOException {
        try (SafetensorsFolder weights = SafetensorsFolder.open(base);
                NDManager scope = Torch.newCpuManager()) {
            Weights.Source adapters = source(scope);
            requireLayers(weights, base);
            var plan = new SafetensorsWriter.Plan();
            weights.tensors().forEach((key, tensor) -> plan.add(key, DType.F32, tensor.shape()));
            try (var writer = new SafetensorsWriter(
                    FileChannel.open(to, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), plan)) {
                SafetensorsSource source = SafetensorsSource.of(weights, scope);
                for (TensorInfo tensor : weights.tensors().values()) {
                    String layer = tensor.name().replaceFirst("\\.weight$", "");
                    if (!keys.containsKey(layer + Lora.A)) {
                        writer.convert(tensor.name(), tensor.dtype(), weights.data(tensor.name()));
                        continue;
                    }
                    try (NDManager own = scope.newSubManager()) {
                        NDArray w = source.load(tensor.name());
                        NDArray a = adapters.load(layer + Lora.A);
                        NDArray b = adapters.load(layer + Lora.B);
                        own.attachAll(w, a, b);
                        writer.write(
                                tensor.name(),
                                w.add(b.matMul(a).mul((float) lora.scale())).toByteBuffer());
                    }
                }
            }
        }
    }

    private void requireLayers(SafetensorsFolder base, Path folder) {
        for (Map.Entry<String, String> key : keys.entrySet()) {
            boolean down = key.getKey().endsWith(Lora.A);
            String layer = Lora.layer(key.getKey()) + ".weight";
            long[] adapter = file.tensors().get(key.getValue()).shape();
            TensorInfo weight = base.tensors().get(layer);
            if (weight == null || weight.shape().length != 2 || weight.shape()[down ? 1 : 0] != adapter[down ? 1 : 0]) {
                throw new IllegalArgumentException(
                        "The LoRA is not for the U-Net in " + folder + ": it adapts '" + layer
                                + "', which is "
                                + (weight == null ? "not there" : Arrays.toString(weight.shape())));
            }
        }
    }

    @Override
    public void close() {
        file.close();
    }

    /** Of our own in kohya's naming, beside a model of this name. */
    public static String kohyaFile(String name) {
        return name + "-lora.safetensors";
    }

    /** Whether a folder of a checkpoint holds an adapter in place of a whole network. */
    public static boolean isIn(Path folder) {
        return Files.exists(folder.resolve(FILE));
    }
}
