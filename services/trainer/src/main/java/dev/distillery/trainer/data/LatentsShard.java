package dev.distillery.trainer.data;

import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.Arrays;

import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.diffusion.safetensors.TensorInfo;

/**
 * One mapped file of encoded pairs.
 *
 * @param mean (N, V, C, h, w) of the auto-encoder's posterior, before its scaling factor
 * @param std (N, V, C, h, w)
 * @param promptEmbeds (K, 77, D), one for each distinct caption, the empty one first
 * @param captionIndex (N), which of the K captions a pair has
 * @param pooled (K, P); null without SDXL's additional embedding
 * @param timeIds (N, V, 6); null without SDXL's additional embedding
 */
record LatentsShard(
        Dimensions dimensions,
        int pairs,
        FloatBuffer mean,
        FloatBuffer std,
        FloatBuffer promptEmbeds,
        LongBuffer captionIndex,
        FloatBuffer pooled,
        FloatBuffer timeIds) {

    /** Its row among the captions. */
    static final long EMPTY_CAPTION = 0;

    /**
     * What all shards of a data set have in common.
     *
     * @param pooled 0 without SDXL's additional embedding
     */
    record Dimensions(int views, int channels, int height, int width, int tokens, int embedding, int pooled) {

        int latent() {
            return channels * height * width;
        }

        int prompt() {
            return tokens * embedding;
        }
    }

    static LatentsShard of(Path path, SafetensorsFile file) {
        long[] mean = shape(file, "mean");
        long[] prompt = shape(file, "prompt_embeds");
        boolean additional = file.tensors().containsKey("pooled");
        int pooled = additional ? (int) shape(file, "pooled")[1] : 0;
        if (mean.length != 5 || prompt.length != 3) {
            throw new IllegalArgumentException(
                    path + ": 'mean' must be (N, V, C, h, w) and 'prompt_embeds' (K, 77, D) but "
                            + Arrays.toString(mean) + " and " + Arrays.toString(prompt) + " were found");
        }
        Dimensions dimensions = new Dimensions(
                (int) mean[1], (int) mean[2], (int) mean[3], (int) mean[4], (int) prompt[1], (int) prompt[2], pooled);
        return new LatentsShard(
                dimensions,
                (int) mean[0],
                floats(file, "mean"),
                floats(file, "std"),
                floats(file, "prompt_embeds"),
                file.data("caption_index").asLongBuffer(),
                additional ? floats(file, "pooled") : null,
                additional ? floats(file, "time_ids") : null);
    }

    private static FloatBuffer floats(SafetensorsFile file, String name) {
        return file.data(name).asFloatBuffer();
    }

    private static long[] shape(SafetensorsFile file, String name) {
        TensorInfo info = file.tensors().get(name);
        if (info == null) {
            throw new IllegalArgumentException("A shard of latents lacks the tensor '" + name + "'");
        }
        return info.shape();
    }

    /** Copies row {@code row} of a tensor of rows of {@code width} numbers to {@code target} at {@code at}. */
    static void copyRow(FloatBuffer tensor, long row, int width, float[] target, int at) {
        tensor.get(Math.toIntExact(row * width), target, at, width);
    }
}
