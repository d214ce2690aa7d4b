package dev.distillery.converter;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.artifacts.ArtifactWriter;
import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.safetensors.PrettyJson;
import dev.distillery.diffusion.safetensors.SafetensorsFolder;
import dev.distillery.diffusion.safetensors.SavedWeights;
import dev.distillery.diffusion.singlefile.Components;

/**
 * The parts of a teacher's pipeline that its student works with, saved as {@code pipe.to(dtype).save_pretrained(folder,
 * variant)} saves them: all models in one type, under one kind of names. What is not taken along, a safety checker, is
 * null in {@code model_index.json}.
 *
 * @param from the teacher's, of which some may have been trained
 */
record PipelineParts(Components from) {
    /** What the files of weights are called. */
    private static final Map<String, String> MODELS = Map.of(
            "vae", "diffusion_pytorch_model",
            "text_encoder", "model",
            "text_encoder_2", "model");

    private static final List<String> OTHERS = List.of("scheduler", "tokenizer", "tokenizer_2");
    private static final Map<DType, String> TORCH =
            Map.of(DType.F32, "float32", DType.F16, "float16", DType.BF16, "bfloat16");
    private static final String INDEX = "model_index.json";
    private static final String CONFIG = "config.json";
    private static final ObjectMapper JSON = new ObjectMapper();

    /** How transformers or diffusers call the weights of a component in one file. */
    static String fileOf(String component) {
        return MODELS.getOrDefault(component, "diffusion_pytorch_model") + ".safetensors";
    }

    void write(SavedWeights.Format format, ArtifactWriter out) {
        ObjectNode index = json(from.pipeline().resolve(INDEX));
        index.fields().forEachRemaining(field -> {
            String part = field.getKey();
            if (!field.getValue().isArray() || part.equals("unet")) {
                return;
            }
            if (MODELS.containsKey(part) && Files.isDirectory(from.of(part))) {
                writeModel(part, format, out);
            } else if (OTHERS.contains(part) && Files.isDirectory(from.of(part))) {
                copyTexts(part, out);
            } else {
                field.setValue(JSON.createArrayNode().addNull().addNull());
            }
        });
        if (index.has("safety_checker")) {
            index.put("requires_safety_checker", false);
        }
        index.remove("_name_or_path");
        out.add(INDEX, PrettyJson.bytes(index));
    }

    /** One with weights, in a folder of its name. */
    void writeModel(String part, SavedWeights.Format format, ArtifactWriter out) {
        Path folder = from.of(part);
        ObjectNode config = json(folder.resolve(CONFIG));
        if (config.has("torch_dtype")) { // transformers says so, diffusers does not
            config.put("torch_dtype", TORCH.get(format.type()));
        }
        out.add(part + "/" + CONFIG, PrettyJson.bytes(config));
        try (SafetensorsFolder weights = SafetensorsFolder.open(folder)) {
            write(new SavedWeights(weights, weights.tensors().keySet(), MODELS.get(part), format), part, out);
        }
    }

    /** Every file of a component's weights, and their index. */
    static void write(SavedWeights weights, String part, ArtifactWriter out) {
        for (String file : weights.files()) {
            out.stream(part + "/" + file, to -> weights.write(file, Channels.newChannel(to)));
        }
        weights.index().ifPresent(index -> out.add(part + "/" + weights.indexName(), index));
    }

    private void copyTexts(String part, ArtifactWriter out) {
        try (Stream<Path> files = Files.list(from.of(part))) {
            files.filter(file -> file.toString().matches(".*\\.(json|txt)"))
                    .sorted()
                    .forEach(file -> out.add(part + "/" + file.getFileName(), file));
        } catch (IOException e) {
            throw new UncheckedIOException(from.of(part) + " cannot be read", e);
        }
    }

    private static ObjectNode json(Path file) {
        try {
            JsonNode json = JSON.readTree(Files.readAllBytes(file));
            if (json instanceof ObjectNode object) {
                return object;
            }
            throw new IllegalArgumentException(file + " must be a JSON object");
        } catch (IOException e) {
            throw new UncheckedIOException(file + " cannot be read: " + e.getMessage(), e);
        }
    }
}
