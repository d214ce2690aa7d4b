package dev.distillery.diffusion.clip;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.util.Utils;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * CLIP's byte-pair tokenizer from {@code vocab.json} and {@code merges.txt}: start token, at most 75 tokens of the prompt,
 * end token, padding to {@link #length}.
 *
 * <p>Equals transformers' {@code CLIPTokenizer} without the optional {@code ftfy}.
 *
 * @see <a href="https://github.com/huggingface/transformers/blob/v4.55.4/src/transformers/models/clip/tokenization_clip.py#L250">
 *     CLIPTokenizer</a>
 */
public final class ClipTokenizer implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String FLAVOR = "RUST_FLAVOR"; // of DJL's native library
    private static final String WORDS =
            "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";

    private final HuggingFaceTokenizer tokenizer;
    private final int length;
    private final long start;
    private final long end;
    private final long pad;

    private ClipTokenizer(HuggingFaceTokenizer tokenizer, int length, long start, long end, long pad) {
        this.tokenizer = tokenizer;
        this.length = length;
        this.start = start;
        this.end = end;
        this.pad = pad;
    }

    /** @throws IllegalArgumentException naming the file that is missing or malformed */
    public static ClipTokenizer load(Path folder) {
        stayOnTheCpu();
        try {
            ObjectNode vocabulary = (ObjectNode) JSON.readTree(Files.readAllBytes(folder.resolve("vocab.json")));
            List<String> merges = Files.readAllLines(folder.resolve("merges.txt")).stream()
                    .skip(1) // the version
                    .filter(line -> !line.isBlank())
                    .toList();
            Path settings = folder.resolve("tokenizer_config.json");
            JsonNode config =
                    Files.exists(settings) ? JSON.readTree(Files.readAllBytes(settings)) : JSON.createObjectNode();
            String start = token(config, "bos_token", "<|startoftext|>");
            String end = token(config, "eos_token", "<|endoftext|>");
            String pad = token(config, "pad_token", "<|endoftext|>");
            String unknown = token(config, "unk_token", "<|endoftext|>");
            var special = new LinkedHashSet<>(List.of(start, end, unknown, pad));
            byte[] definition = JSON.writeValueAsBytes(definition(vocabulary, merges, special, unknown));
            return new ClipTokenizer(
                    HuggingFaceTokenizer.newInstance(
                            new ByteArrayInputStream(definition), Map.of("addSpecialTokens", "false")),
                    config.path("model_max_length").asInt(77),
                    id(vocabulary, start),
                    id(vocabulary, end),
                    id(vocabulary, pad));
        } catch (IOException | ClassCastException e) {
            throw new IllegalArgumentException(folder + " is not a CLIP tokenizer: " + e, e);
        }
    }

    /** Beside a GPU, DJL would download another native library, which the tokenizer does not need. */
    private static void stayOnTheCpu() {
        if (Utils.getEnvOrSystemProperty(FLAVOR) == null) {
            System.setProperty(FLAVOR, "cpu");
        }
    }

    private static String token(JsonNode config, String key, String otherwise) {
        JsonNode token = config.path(key);
        return token.isObject() ? token.path("content").asText() : token.asText(otherwise);
    }

    private static long id(ObjectNode vocabulary, String token) {
        if (!vocabulary.has(token)) {
            throw new IllegalArgumentException("vocab.json has no token '" + token + "'");
        }
        return vocabulary.get(token).asLong();
    }

    /**
     * The same tokenizer as a {@code tokenizer.json} of the tokenizers library.
     *
     * @param special tokens that are never looked for inside a word: SDXL's second tokenizer pads with {@code !}, so each
     *     exclamation mark of a prompt is padding to it
     */
    private static ObjectNode definition(
            ObjectNode vocabulary, List<String> merges, Set<String> special, String unknown) {
        ObjectNode root = JSON.createObjectNode();
        root.put("version", "1.0");
        ArrayNode added = root.putArray("added_tokens");
        for (String token : special) {
            ObjectNode node = added.addObject();
            node.put("id", id(vocabulary, token)).put("content", token).put("special", true);
            node.put("single_word", false)
                    .put("lstrip", false)
                    .put("rstrip", false)
                    .put("normalized", false);
        }
        ObjectNode split = root.putObject("pre_tokenizer").put("type", "Sequence");
        ArrayNode steps = split.putArray("pretokenizers");
        ObjectNode words = steps.addObject()
                .put("type", "Split")
                .put("behavior", "Removed")
                .put("invert", true);
        words.putObject("pattern").put("Regex", WORDS);
        steps.addObject()
                .put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("trim_offsets", true)
                .put("use_regex", false);
        ObjectNode model = root.putObject("model").put("type", "BPE").put("unk_token", unknown);
        model.put("continuing_subword_prefix", "")
                .put("end_of_word_suffix", "</w>")
                .put("fuse_unk", false);
        model.set("vocab", vocabulary);
        merges.forEach(model.putArray("merges")::add);
        return root;
    }

    /** Tokens of every prompt together with start, end and padding: 77. */
    public int length() {
        return length;
    }

    /** Ids of a prompt, {@link #length} of them; what is too long is cut off. */
    public long[] encode(String prompt) {
        long[] words = tokenizer.encode(BasicText.clean(prompt), false, false).getIds();
        int kept = Math.min(words.length, length - 2);
        long[] ids = new long[length];
        Arrays.fill(ids, pad);
        ids[0] = start;
        System.arraycopy(words, 0, ids, 1, kept);
        ids[kept + 1] = end;
        return ids;
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
