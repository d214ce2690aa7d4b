package dev.distillery.diffusion.lora;

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
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
 * The LoRA of a U-Net, and of text encoders if there is one, in a file: {@code pipe.load_lora_weights} of diffusers reads what is
 * written here, and here is read what diffusers' {@code save_lora_weights} writes.
 *
 * <p>In memory adapters have peft's keys; before those of a text encoder stands its folder's name,
 * {@code text_encoder_2.text_model...q_proj.lora_A.weight}.
 *
 * @see <a href="https://github.com/huggingface/diffusers/blob/v0.35.1/src/diffusers/utils/state_dict_utils.py#L100">diffusers'
 *     names: those of attentions differ from those of the feed-forward</a>
 */
public final class SavedLora implements AutoCloseable {
    /** What {@code load_lora_weights} looks for in a folder. */
    public static final String FILE = "pytorch_lora_weights.safetensors";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String ABOUT = "lora_adapter_metadata";
    private static final String UNET = "unet";
    private static final String TEXT_ENCODER = "text_encoder";
    private static final String TEXT_ENCODER_2 = "text_encoder_2";
    private static final List<String> COMPONENTS = List.of(UNET, TEXT_ENCODER, TEXT_ENCODER_2);
    private static final Pattern DIFFUSERS = Pattern.compile("(.*)\\.lora(?:_linear_layer)?\\.(down|up)\\.weight");

    /** Who is to read a file. */
    public enum Naming {
        /**
         * {@code unet.down_blocks.1...to_q.lora.down.weight} and {@code text_encoder.text_model...q_proj.lora_linear_layer.down.weight};
         * rank and alpha are in the metadata.
         */
        DIFFUSERS,
        /**
         * {@code lora_unet_down_blocks_1_..._to_q.lora_down.weight} and {@code .alpha}: kohya's scripts, ComfyUI, A1111. Of SDXL's
         * text encoders {@code lora_te1_} and {@code lora_te2_}, of an only one {@code lora_te_}.
         */
        KOHYA
    }

    private final SafetensorsFile file;
    private final Path path;
    private final Map<String, String> keys = new LinkedHashMap<>(); // as in memory -> the file's
    private final Map<String, Lora> loras = new LinkedHashMap<>();

    private SavedLora(SafetensorsFile file, Path path) {
        this.file = file;
        this.path = path;
        file.tensors().keySet().forEach(key -> keys.put(inMemory(key), key));
        components(keys.keySet()).forEach(component -> loras.put(component, settings(component)));
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

    private String inMemory(String key) {
        for (String component : COMPONENTS) {
            if (key.startsWith(component + ".")) {
                String prefix = component.equals(UNET) ? "" : component + ".";
                String name = key.substring(component.length() + 1);
                var diffusers = DIFFUSERS.matcher(name);
                if (Lora.isAdapter(name)) {
                    return prefix + name;
                } else if (diffusers.matches()) {
                    return prefix + diffusers.group(1) + (diffusers.group(2).equals("down") ? Lora.A : Lora.B);
                }
            }
        }
        throw new IllegalArgumentException(
                path + ": '" + key + "' is no key of a U-Net's or text encoder's LoRA as diffusers writes them");
    }

    /** The folder's name of what an adapter is for. */
    private static String component(String key) {
        return COMPONENTS.stream()
                .filter(component -> key.startsWith(component + "."))
                .findFirst()
                .orElse(UNET);
    }

    private static List<String> components(Collection<String> keys) {
        return COMPONENTS.stream()
                .filter(component ->
                        keys.stream().anyMatch(key -> component(key).equals(component)))
                .toList();
    }

    /** Peft's, of the component alone. */
    private static String ofComponent(String key) {
        String component = component(key);
        return component.equals(UNET) ? key : key.substring(component.length() + 1);
    }

    private Lora settings(String component) {
        String about = file.metadata().get(ABOUT);
        if (about == null) {
            throw new IllegalArgumentException(
                    path + ": its metadata lacks '" + ABOUT + "', which says rank and alpha");
        }
        try {
            JsonNode json = JSON.readTree(about);
            if (!json.has(component + ".r")) {
                throw new IllegalArgumentException(
                        path + ": its metadata's '" + ABOUT + "' lacks '" + component + ".r', the rank");
            }
            List<String> targets = new ArrayList<>();
            json.path(component + ".target_modules").forEach(target -> targets.add(target.asText()));
            return new Lora(
                    json.path(component + ".r").asInt(),
                    json.path(component + ".lora_alpha").asDouble(),
                    targets);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(path + ": its metadata's '" + ABOUT + "' is not JSON", e);
        }
    }

    /** By the folder's name of what they adapt: {@code unet}, {@code text_encoder}, {@code text_encoder_2}. */
    public Map<String, Lora> loras() {
        return Collections.unmodifiableMap(loras);
    }

    /** Its A and B by their keys in memory, loaded into {@code manager}. */
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
                    writer.convert(alphaName(key.getKey()), DType.F32, alpha(key.getKey()));
                }
            }
        }
    }

    private ByteBuffer alpha(String key) {
        return ByteBuffer.allocate(Float.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putFloat((float) loras.get(component(key)).alpha())
                .flip();
    }

    private SafetensorsWriter.Plan plan(Naming naming) {
        return naming == Naming.DIFFUSERS ? plan(loras) : new SafetensorsWriter.Plan();
    }

    /** Every module has one, beside its A. */
    private static boolean hasAlpha(String key, Naming naming) {
        return naming == Naming.KOHYA && key.endsWith(Lora.A);
    }

    private String alphaName(String key) {
        return kohyaModule(key) + ".alpha";
    }

    private String kohyaModule(String key) {
        String prefix =
                switch (component(key)) {
                    case TEXT_ENCODER -> loras.containsKey(TEXT_ENCODER_2) ? "lora_te1_" : "lora_te_";
                    case TEXT_ENCODER_2 -> "lora_te2_";
                    default -> "lora_unet_";
                };
        return prefix + Lora.layer(ofComponent(key)).replace('.', '_');
    }

    private String named(String key, Naming naming) {
        return naming == Naming.DIFFUSERS
                ? diffusersName(key)
                : kohyaModule(key) + (isDown(key) ? ".lora_down.weight" : ".lora_up.weight");
    }

    private static String diffusersName(String key) {
        String component = component(key);
        String layer = component + "." + Lora.layer(ofComponent(key));
        String end = isDown(key) ? "down.weight" : "up.weight";
        if (!component.equals(UNET)) {
            return layer + ".lora_linear_layer." + end;
        }
        boolean ofAttention = layer.matches(".*\\.(to_q|to_k|to_v|to_out\\.0)");
        return ofAttention ? layer + ".lora." + end : UNET + "." + key;
    }

    private static boolean isDown(String key) {
        return key.endsWith(Lora.A);
    }

    /** What diffusers and peft need to make the adapters again; what is not said has its default. */
    private static SafetensorsWriter.Plan plan(Map<String, Lora> loras) {
        ObjectNode about = JSON.createObjectNode();
        loras.forEach((component, lora) -> {
            about.put(component + ".r", lora.rank());
            if (lora.alpha() == Math.rint(lora.alpha())) {
                about.put(component + ".lora_alpha", (long) lora.alpha());
            } else {
                about.put(component + ".lora_alpha", lora.alpha());
            }
            lora.targets().forEach(about.putArray(component + ".target_modules")::add);
            about.putObject(component + ".rank_pattern"); // diffusers reads them as they stand
            about.putObject(component + ".alpha_pattern");
            about.put(component + ".lora_bias", false);
            about.put(component + ".use_dora", false);
        });
        return new SafetensorsWriter.Plan().metadata(ABOUT, about.toString());
    }

    /**
     * Writes adapters as they are in memory, in float32 and diffusers' naming.
     *
     * @param loras by the folder's name of what they adapt
     * @param adapters by their keys in memory
     */
    public static void write(Path path, Map<String, Lora> loras, Map<String, NDArray> adapters) throws IOException {
        var named = new LinkedHashMap<String, NDArray>();
        adapters.forEach((key, array) -> named.put(diffusersName(key), array));
        SavedTensors.write(path, plan(loras), named);
    }

    /**
     * Writes a network whose weights are {@code W + alpha / rank * B A}: it does without an adapter what the base does with it.
     *
     * @param component of {@link #loras}
     * @param base its folder
     * @param to the file, in float32
     * @throws IllegalArgumentException if the base lacks a layer that is adapted, or has it in another shape
     */
    public void merge(String component, Path base, Path to) throws IOException {
        Map<String, String> adapted = new LinkedHashMap<>(); // peft's key -> the one in memory
        keys.keySet().stream()
                .filter(key -> component(key).equals(component))
                .forEach(key -> adapted.put(ofComponent(key), key));
        float scale = (float) loras.get(component).scale();
        try (SafetensorsFolder weights = SafetensorsFolder.open(base);
                NDManager scope = Torch.newCpuManager()) {
            Weights.Source adapters = source(scope);
            adapted.forEach((key, ours) -> requireLayer(key, keys.get(ours), weights, base));
            var plan = new SafetensorsWriter.Plan();
            weights.tensors().forEach((key, tensor) -> plan.add(key, merged(tensor.dtype()), tensor.shape()));
            try (var writer = new SafetensorsWriter(
                    FileChannel.open(to, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), plan)) {
                SafetensorsSource source = SafetensorsSource.of(weights, scope);
                for (TensorInfo tensor : weights.tensors().values()) {
                    String layer = tensor.name().replaceFirst("\\.weight$", "");
                    if (!adapted.containsKey(layer + Lora.A)) {
                        writer.convert(tensor.name(), tensor.dtype(), weights.data(tensor.name()));
                        continue;
                    }
                    try (NDManager own = scope.newSubManager()) {
                        NDArray w = source.load(tensor.name());
                        NDArray a = adapters.load(adapted.get(layer + Lora.A));
                        NDArray b = adapters.load(adapted.get(layer + Lora.B));
                        own.attachAll(w, a, b);
                        writer.write(
                                tensor.name(), w.add(b.matMul(a).mul(scale)).toByteBuffer());
                    }
                }
            }
        }
    }

    /** Position ids, which old text encoders have among their weights, stay whole numbers. */
    private static DType merged(DType type) {
        return type == DType.I64 || type == DType.I32 ? type : DType.F32;
    }

    private void requireLayer(String key, String inFile, SafetensorsFolder base, Path folder) {
        int inner = isDown(key) ? 1 : 0;
        String layer = Lora.layer(key) + ".weight";
        TensorInfo weight = base.tensors().get(layer);
        if (weight == null
                || weight.shape().length != 2
                || weight.shape()[inner] != file.tensors().get(inFile).shape()[inner]) {
            throw new IllegalArgumentException("The LoRA is not for the network in " + folder + ": it adapts '" + layer
                    + "', which is " + (weight == null ? "not there" : Arrays.toString(weight.shape())));
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

    /** The folders' names of what an adapter in a folder of a checkpoint is for; empty if there is none. */
    public static Set<String> components(Path folder) {
        if (!isIn(folder)) {
            return Set.of();
        }
        try (SavedLora saved = open(folder.resolve(FILE))) {
            return Set.copyOf(saved.loras.keySet());
        }
    }

    /** The folder around a converted U-Net, if text encoders that learnt with it lie there, too. */
    public static Optional<Path> textEncodersBeside(Path unet) {
        Path model = unet.toAbsolutePath().normalize().getParent();
        if (model == null || !Files.exists(model.resolve(TEXT_ENCODER))) {
            return Optional.empty();
        }
        boolean teachers = Files.exists(model.resolve("model_index.json")); // a pipeline has some in any case
        return teachers && !namesTextEncoder(model.resolve(FILE)) ? Optional.empty() : Optional.of(model);
    }

    private static boolean namesTextEncoder(Path lora) {
        if (!Files.exists(lora)) {
            return false;
        }
        try (SafetensorsFile file = SafetensorsFile.open(lora)) { // whoever wrote it
            return file.tensors().keySet().stream().anyMatch(key -> key.startsWith(TEXT_ENCODER + "."));
        }
    }

    /** Whether a folder of a checkpoint holds an adapter in place of a whole network. */
    public static boolean isIn(Path folder) {
        return Files.exists(folder.resolve(FILE));
    }
}
