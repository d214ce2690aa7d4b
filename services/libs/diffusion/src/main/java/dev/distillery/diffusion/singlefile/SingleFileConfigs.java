package dev.distillery.diffusion.singlefile;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.diffusion.safetensors.TensorInfo;

/**
 * The configurations of a pipeline in a single file: one that lies beside the file, else one in its metadata (Distillery
 * writes them there), else the family's own, that diffusers' {@code from_single_file} takes too, with what shapes tell.
 *
 * @see <a href="https://github.com/huggingface/diffusers/blob/v0.35.1/src/diffusers/loaders/single_file_utils.py#L145">
 *     diffusers' DEFAULT_PIPELINE_PATHS</a>
 */
final class SingleFileConfigs {
    static final String INDEX = "model_index.json";
    static final String VAE = "vae/config.json";
    static final String SCHEDULER = "scheduler/scheduler_config.json";

    /** By name in the pipeline's folder. */
    static final List<String> NAMES = List.of(
            INDEX, SCHEDULER, "unet/config.json", VAE, "text_encoder/config.json", "text_encoder_2/config.json");

    /** What stands before the name in the metadata. */
    static final String METADATA = "distillery.";

    private static final int VOCABULARY = 49408;
    private static final int CHANNELS_OF_A_HEAD = 64;
    /** SD v2 uses the layer before OpenCLIP's last one, so diffusers leaves the last one out. */
    private static final int MOST_LAYERS_OF_SD2 = 23;

    private static final ObjectMapper JSON = new ObjectMapper();

    private final SingleFileSource source;
    private final Map<String, String> metadata;

    SingleFileConfigs(SingleFileSource source, Map<String, String> metadata) {
        this.source = source;
        this.metadata = metadata;
    }

    /** The configuration that comes with the file. */
    Optional<ObjectNode> given(String name) throws IOException {
        Optional<byte[]> beside = source.beside(name);
        if (beside.isPresent()) {
            return Optional.of(object(name + " beside it", JSON.readTree(beside.get())));
        }
        String inside = metadata.get(METADATA + name);
        try {
            return inside == null
                    ? Optional.empty()
                    : Optional.of(object("metadata '" + METADATA + name + "'", JSON.readTree(inside)));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("has metadata '" + METADATA + name + "' that is no JSON", e);
        }
    }

    private static ObjectNode object(String what, JsonNode json) {
        if (json instanceof ObjectNode object) {
            return object;
        }
        throw new IllegalArgumentException("has a " + what + " that is no JSON object");
    }

    /** The family's configuration of that name. */
    static ObjectNode ofFamily(String family, String name) {
        try (InputStream json = SingleFileConfigs.class.getResourceAsStream(family + ".json")) {
            return (ObjectNode) JSON.readTree(json).path(name);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The pipeline's parts: those that no single file has, such as a safety checker, are named as absent. */
    ObjectNode index(String family) throws IOException {
        ObjectNode usual = ofFamily(family, INDEX);
        ObjectNode index = given(INDEX).orElse(usual);
        index.fields().forEachRemaining(part -> {
            if (part.getValue() instanceof ArrayNode
                    && usual.path(part.getKey()).path(0).asText("").isEmpty()) {
                part.setValue(JSON.createArrayNode().addNull().addNull());
            }
        });
        return index;
    }

    /**
     * @param usual what shapes do not tell is taken from it
     * @param tensor by diffusers key; null if the file has it not
     */
    static ObjectNode vae(ObjectNode usual, Function<String, TensorInfo> tensor) {
        ObjectNode json = usual.deepCopy();
        ArrayNode channels = json.putArray("block_out_channels");
        ArrayNode down = json.putArray("down_block_types");
        ArrayNode up = json.putArray("up_block_types");
        for (int i = 0; tensor.apply("encoder.down_blocks." + i + ".resnets.0.conv1.weight") != null; i++) {
            channels.add(tensor.apply("encoder.down_blocks." + i + ".resnets.0.conv1.weight")
                    .shape()[0]);
            down.add("DownEncoderBlock2D");
            up.add("UpDecoderBlock2D");
        }
        json.put("layers_per_block", count(tensor, "encoder.down_blocks.0.resnets.", ".conv1.weight"));
        json.put("in_channels", required(tensor, "encoder.conv_in.weight").shape()[1]);
        json.put("out_channels", required(tensor, "decoder.conv_out.weight").shape()[0]);
        json.put("latent_channels", required(tensor, "decoder.conv_in.weight").shape()[1]);
        json.put("mid_block_add_attention", tensor.apply("encoder.mid_block.attentions.0.group_norm.weight") != null);
        json.put("use_quant_conv", tensor.apply("quant_conv.weight") != null);
        json.put("use_post_quant_conv", tensor.apply("post_quant_conv.weight") != null);
        return json;
    }

    /** @param tensor by transformers key; null if the file has it not */
    static ObjectNode text(String family, String folder, Function<String, TensorInfo> tensor) {
        ObjectNode json = ofFamily(family, folder + "/config.json");
        long[] tokens =
                required(tensor, "text_model.embeddings.token_embedding.weight").shape();
        if (tokens[0] != VOCABULARY) {
            throw new IllegalArgumentException(
                    "has a text encoder of " + tokens[0] + " tokens, where CLIP's vocabulary has " + VOCABULARY
                            + ": name a diffusers folder, which has its own");
        }
        if (tokens[1] % CHANNELS_OF_A_HEAD != 0) {
            throw new IllegalArgumentException("does not tell how many heads a text encoder of width " + tokens[1]
                    + " has (one for each 64): put the model's " + folder + "/config.json beside the file");
        }
        int layers = count(tensor, "text_model.encoder.layers.", ".layer_norm1.weight");
        json.put("vocab_size", tokens[0]);
        json.put("hidden_size", tokens[1]);
        json.put("num_attention_heads", tokens[1] / CHANNELS_OF_A_HEAD);
        json.put("num_hidden_layers", family.equals("sd2") ? Math.min(layers, MOST_LAYERS_OF_SD2) : layers);
        json.put(
                "max_position_embeddings",
                required(tensor, "text_model.embeddings.position_embedding.weight")
                        .shape()[0]);
        json.put(
                "intermediate_size",
                required(tensor, "text_model.encoder.layers.0.mlp.fc1.weight").shape()[0]);
        if (json.path("architectures").path(0).asText().endsWith("WithProjection")) {
            // OpenCLIP's projection is the other way round
            json.put(
                    "projection_dim", required(tensor, "text_projection.weight").shape()[1]);
        }
        return json;
    }

    private static int count(Function<String, TensorInfo> tensor, String before, String after) {
        int n = 0;
        while (tensor.apply(before + n + after) != null) {
            n++;
        }
        return n;
    }

    private static TensorInfo required(Function<String, TensorInfo> tensor, String key) {
        TensorInfo info = tensor.apply(key);
        if (info == null || info.shape().length < 2) {
            throw new IllegalArgumentException("has nothing that becomes " + key);
        }
        return info;
    }
}
