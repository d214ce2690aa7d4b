package dev.distillery.diffusion.clip;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.diffusion.image.RgbImage;
import dev.distillery.diffusion.safetensors.SafetensorsFolder;
import dev.distillery.diffusion.tensor.Ops;
import dev.distillery.diffusion.tensor.SafetensorsSource;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.tensor.Weights;

/**
 * Both of CLIP's encoders, whose features of a picture and of a text that fits it point the same way.
 *
 * @see <a href="https://github.com/huggingface/transformers/blob/v4.55.4/src/transformers/models/clip/modeling_clip.py#L923">
 *     CLIPModel</a>
 */
public final class ClipModel implements AutoCloseable {
    private final ClipTokenizer tokenizer;
    private final ClipTextEncoder text;
    private final ClipImages images;
    private final ClipVisionEncoder vision;
    private final NDArray visualProjection; // (P, D)

    private ClipModel(Path folder, JsonNode config, Weights w) {
        String file = folder.resolve("config.json").toString();
        int projected = config.path("projection_dim").asInt(512);
        ObjectNode textConfig = config.get("text_config").deepCopy();
        textConfig.put("projection_dim", projected);
        textConfig.putArray("architectures").add("CLIPTextModelWithProjection");
        var visionConfig = ClipVisionConfig.of(file, config.get("vision_config"));
        tokenizer = ClipTokenizer.load(folder);
        text = new ClipTextEncoder(ClipConfig.of(file, textConfig), w);
        images = ClipImages.read(folder, visionConfig.imagePx());
        vision = new ClipVisionEncoder(visionConfig, w.at("vision_model"));
        visualProjection = w.take(
                "visual_projection.weight", projected, visionConfig.shape().width());
        w.take("logit_scale"); // of training
    }

    /**
     * Loads a folder of transformers' {@code CLIPModel} with its tokenizer, in float32.
     *
     * @param manager owner of the parameters
     * @throws IllegalArgumentException naming the file and what is wrong with it
     */
    public static ClipModel load(Path folder, NDManager manager) {
        JsonNode config = config(folder.resolve("config.json"));
        try (SafetensorsFolder files = SafetensorsFolder.open(folder)) {
            Weights weights = Weights.of(folder.toString(), SafetensorsSource.of(files, manager));
            var model = new ClipModel(folder, config, weights);
            weights.check();
            return model;
        }
    }

    private static JsonNode config(Path file) {
        try {
            JsonNode config = new ObjectMapper().readTree(Files.readAllBytes(file));
            if (!config.path("text_config").isObject()
                    || !config.path("vision_config").isObject()) {
                throw new IllegalArgumentException(file
                        + " must be of a CLIPModel, with 'text_config' and 'vision_config', but its 'model_type' is "
                        + config.path("model_type"));
            }
            return config;
        } catch (IOException e) {
            throw new IllegalArgumentException(file + " cannot be read: " + e.getMessage(), e);
        }
    }

    /** Features of texts {@code (B, P)}, not normalised; of each the first 75 tokens count. */
    public NDArray textFeatures(List<String> texts, NDManager scope) {
        try (NDManager inner = scope.newSubManager()) {
            long[] ids = texts.stream()
                    .flatMapToLong(caption -> Arrays.stream(tokenizer.encode(caption)))
                    .toArray();
            NDArray features = text.encode(inner.create(ids, new Shape(texts.size(), tokenizer.length())))
                    .pooled();
            features.attach(scope);
            return features;
        }
    }

    /** Features of images of any sizes {@code (B, P)}, not normalised. */
    public NDArray imageFeatures(List<RgbImage> pictures, NDManager scope) {
        try (NDManager inner = scope.newSubManager();
                Torch.GradMode off = Torch.gradMode(false)) {
            NDArray pooled = vision.encode(images.pixels(pictures, inner)); // (B, D)
            NDArray features = Ops.call("linear_no_bias", pooled, visualProjection);
            features.attach(scope);
            return features;
        }
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
