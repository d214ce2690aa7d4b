package dev.distillery.diffusion.singlefile;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.diffusion.clip.ClipConfig;
import dev.distillery.diffusion.clip.ClipTextEncoder;
import dev.distillery.diffusion.distill.Layouts;
import dev.distillery.diffusion.safetensors.SafetensorsException;
import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.diffusion.safetensors.SafetensorsHeader;
import dev.distillery.diffusion.safetensors.TensorInfo;
import dev.distillery.diffusion.unet.UNet2DCondition;
import dev.distillery.diffusion.unet.UNetConfig;
import dev.distillery.diffusion.vae.AutoencoderKL;
import dev.distillery.diffusion.vae.VaeConfig;

/**
 * A single file with the original code's keys, seen as the diffusers folder that it stands for: SD v1, v2 and SDXL, in every
 * layout. Only its header is read for this; the weights stream from the file when they are asked for, in the types that they
 * have there. What the folder does not need, such as {@code model_ema.*}, is left out, as diffusers does.
 *
 * @see <a href="https://github.com/huggingface/diffusers/blob/v0.35.1/src/diffusers/loaders/single_file_utils.py#L555">
 *     diffusers' infer_diffusers_model_type, convert_ldm_unet_checkpoint and so on</a>
 */
public final class SingleFileFolder {
    private static final String OLD_CLIP = "cond_stage_model.transformer.";
    private static final String OLD_CLIP_INSIDE = OLD_CLIP + "text_model.";

    private final Map<String, byte[]> texts = new LinkedHashMap<>();
    private final Map<String, Unpacking> weights = new LinkedHashMap<>();
    private final SafetensorsHeader header;
    private final Map<String, TensorInfo> tensors;
    private final SingleFileConfigs configs;
    private UNetConfig unet;
    private VaeConfig vae;

    /**
     * @throws SafetensorsException if it is no whole safetensors file
     * @throws IllegalArgumentException saying, after the file's name, what else it is, or what it lacks
     */
    public static SingleFileFolder of(SingleFileSource source) throws IOException {
        SafetensorsHeader header = SafetensorsHeader.read(source.name(), source.size(), source);
        try {
            return new SingleFileFolder(source, header);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(source.name() + " " + e.getMessage(), e);
        }
    }

    /**
     * Only the auto-encoder of a file: of a whole model, or one that has nothing else, such as {@code sdxl_vae.safetensors}.
     *
     * @param usual the configuration of the one that it replaces, which holds where the file brings none: shapes do not tell
     *     by what latents are scaled
     * @throws SafetensorsException if it is no whole safetensors file
     * @throws IllegalArgumentException saying, after the file's name, what else it is, or what it lacks
     */
    public static SingleFileFolder vae(SingleFileSource source, ObjectNode usual) throws IOException {
        SafetensorsHeader header = SafetensorsHeader.read(source.name(), source.size(), source);
        try {
            Map<String, TensorInfo> tensors = OriginalVae.named(header.tensors());
            var folder = new SingleFileFolder(header, tensors, new SingleFileConfigs(source, header.metadata()));
            if (!folder.hasVae()) {
                throw new IllegalArgumentException("has no decoder.*, as an auto-encoder has");
            }
            folder.addVae(tensors.equals(header.tensors()) ? SingleFileConfigs.VAE : "config.json", usual);
            return folder;
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(source.name() + " " + e.getMessage(), e);
        }
    }

    /** The configuration of a family's auto-encoder. */
    public static ObjectNode usualVae(String family) {
        return SingleFileConfigs.ofFamily(family, SingleFileConfigs.VAE);
    }

    private SingleFileFolder(SafetensorsHeader header, Map<String, TensorInfo> tensors, SingleFileConfigs configs) {
        this.header = header;
        this.tensors = tensors;
        this.configs = configs;
    }

    private SingleFileFolder(SingleFileSource source, SafetensorsHeader header) throws IOException {
        this(header, named(header.tensors()), new SingleFileConfigs(source, header.metadata()));
        KnownKinds.check(tensors);
        ObjectNode scheduler = addUNet(source);
        String family = family();
        if (hasVae()) {
            addVae(SingleFileConfigs.VAE, usualVae(family));
        }
        for (OriginalText text : OriginalText.of(family)) {
            addText(family, text);
        }
        addJson(SingleFileConfigs.SCHEDULER, scheduler);
        addJson(SingleFileConfigs.INDEX, configs.index(family));
        addTokenizers(family);
    }

    /** The first files of SD v1 name CLIP's tensors as transformers did before 4.7. */
    private static Map<String, TensorInfo> named(Map<String, TensorInfo> tensors) {
        Map<String, TensorInfo> named = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> named.put(
                name.startsWith(OLD_CLIP) && !name.startsWith(OLD_CLIP_INSIDE)
                        ? OLD_CLIP_INSIDE + name.substring(OLD_CLIP.length())
                        : name,
                tensor));
        return named;
    }

    /** Answers with the scheduler's configuration, which says something of the U-Net's as well. */
    private ObjectNode addUNet(SingleFileSource source) throws IOException {
        Optional<ObjectNode> given = configs.given("unet/config.json");
        ObjectNode json = given.isPresent() ? given.get() : UNetStructure.config(tensors, pooledWidth());
        unet = UNetConfig.of(json);
        Optional<ObjectNode> givenScheduler = configs.given(SingleFileConfigs.SCHEDULER);
        ObjectNode scheduler =
                givenScheduler.orElseGet(() -> SingleFileConfigs.ofFamily(family(), SingleFileConfigs.SCHEDULER));
        if (givenScheduler.isEmpty()) {
            Prediction.write(scheduler, family(), header, source);
        }
        if (given.isEmpty()
                && family().equals("sd2")
                && scheduler.path("prediction_type").asText().equals("epsilon")) {
            json.put("sample_size", 64); // of the two that there are, the one that is not for 768 pixels
            unet = UNetConfig.of(json);
        }
        addJson("unet/config.json", json);
        Map<String, Shape> shapes = UNet2DCondition.parameterShapes(unet);
        var unpacking = new Unpacking("U-Net", shapes, OriginalUNet.tensors(unet, shapes.keySet()), tensors);
        weights.put("unet/diffusion_pytorch_model.safetensors", unpacking);
        Set<String> unknown = tensors.keySet().stream()
                .filter(name -> name.startsWith(OriginalUNet.PREFIX)
                        && !unpacking.used().contains(name))
                .collect(Collectors.toSet());
        if (!unknown.isEmpty()) {
            throw new IllegalArgumentException("has a U-Net with " + unknown.size()
                    + " tensors that are not known here, such as " + Collections.min(unknown));
        }
        return scheduler;
    }

    private boolean hasVae() {
        return tensors.keySet().stream().anyMatch(name -> name.startsWith(OriginalVae.PREFIX + "decoder."));
    }

    private void addVae(String config, ObjectNode usual) throws IOException {
        ObjectNode json = configs.given(config)
                .orElseGet(() -> SingleFileConfigs.vae(
                        usual, key -> original(OriginalVae.tensors(1, Map.of(key, new long[] {1, 1, 1, 1})))));
        vae = VaeConfig.of(SingleFileConfigs.VAE, json);
        Map<String, Shape> shapes = AutoencoderKL.parameterShapes(vae);
        Map<String, long[]> dimensions = new LinkedHashMap<>();
        shapes.forEach((key, shape) -> dimensions.put(key, shape.getShape()));
        add(
                "vae",
                "auto-encoder",
                json,
                shapes,
                OriginalVae.tensors(vae.channels().size(), dimensions),
                "diffusion_pytorch_model");
    }

    private void addText(String family, OriginalText text) throws IOException {
        if (tensors.keySet().stream().noneMatch(name -> name.startsWith(text.prefix()))) {
            throw new IllegalArgumentException("has no text encoder " + text.prefix() + "*, as a whole " + family
                    + " model has: name a file with all parts, or a diffusers folder");
        }
        Function<String, TensorInfo> find = key -> original(text.tensors(Set.of(key)));
        ObjectNode json = configs.given(text.folder() + "/config.json")
                .orElseGet(() -> SingleFileConfigs.text(family, text.folder(), find));
        Map<String, Shape> shapes =
                ClipTextEncoder.parameterShapes(ClipConfig.of(text.folder() + "/config.json", json));
        add(text.folder(), "text encoder", json, shapes, text.tensors(shapes.keySet()), "model");
    }

    private void add(
            String folder,
            String what,
            ObjectNode config,
            Map<String, Shape> shapes,
            List<OriginalTensor> originals,
            String file) {
        addJson(folder + "/config.json", config);
        weights.put(folder + "/" + file + ".safetensors", new Unpacking(what, shapes, originals, tensors));
    }

    private void addTokenizers(String family) throws IOException {
        addTokenizer("tokenizer", family.equals("sd2") ? "tokenizer_2" : "tokenizer");
        if (family.equals("sdxl")) {
            addTokenizer("tokenizer_2", "tokenizer_2");
        }
    }

    /** @param pads which of the two: CLIP's pads with the end's token, OpenCLIP's with an exclamation mark */
    private void addTokenizer(String folder, String pads) throws IOException {
        for (String name : List.of("vocab.json", "merges.txt")) {
            texts.put(folder + "/" + name, resource("tokenizer/" + name));
        }
        for (String name : List.of("tokenizer_config.json", "special_tokens_map.json")) {
            texts.put(folder + "/" + name, resource(pads + "/" + name));
        }
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = SingleFileFolder.class.getResourceAsStream(name)) {
            return in.readAllBytes();
        }
    }

    private TensorInfo original(List<OriginalTensor> one) {
        return tensors.get(one.get(0).name());
    }

    private OptionalLong pooledWidth() {
        return OriginalText.of("sdxl").stream()
                .filter(OriginalText::openClip)
                .map(text -> original(text.tensors(Set.of("text_projection.weight"))))
                .filter(projection -> projection != null && projection.shape().length == 2)
                .mapToLong(projection -> projection.shape()[1])
                .findFirst();
    }

    private void addJson(String name, ObjectNode json) {
        try {
            texts.put(name, new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsBytes(json));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public String family() {
        return Layouts.family(unet);
    }

    public UNetConfig unet() {
        return unet;
    }

    /** Empty if the file has no auto-encoder. */
    public Optional<VaeConfig> vae() {
        return Optional.ofNullable(vae);
    }

    /** Sizes in bytes of all files of the folder, by name. */
    public Map<String, Long> files() {
        Map<String, Long> sizes = new LinkedHashMap<>();
        texts.forEach((name, text) -> sizes.put(name, (long) text.length));
        weights.forEach((name, unpacking) -> sizes.put(name, unpacking.bytes()));
        return sizes;
    }

    /** Whether a file of the folder is made of the single file's tensors. */
    public boolean isWeights(String name) {
        return weights.containsKey(name);
    }

    /**
     * A file of the folder.
     *
     * @param file the single file, open as long as this is read; null for what is no {@linkplain #isWeights weights}
     */
    public InputStream open(String name, SafetensorsFile file) {
        return isWeights(name) ? weights.get(name).open(file) : new ByteArrayInputStream(texts.get(name));
    }
}
