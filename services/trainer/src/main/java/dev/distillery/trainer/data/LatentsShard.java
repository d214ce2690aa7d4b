package dev.distillery.trainer.data;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;

import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.diffusion.safetensors.TensorInfo;

/**
 * One file of encoded pairs, read row by row rather than mapped, so that a file that goes is gone. For each size, named as in
 * {@code mean.128x96}:
 *
 * <ul>
 *   <li>{@code mean} and {@code std} (n, V, C, h, w), of the auto-encoder's posterior, before its scaling factor
 *   <li>{@code position} (n), of a pair in the data set
 *   <li>{@code caption_index} (n), which of the K captions a pair has
 *   <li>{@code time_ids} (n, V, 6), with SDXL's additional embedding only
 * </ul>
 *
 * and for all {@code prompt_embeds} (K, 77, D), one for each distinct caption, the empty one first, and for SDXL {@code pooled}
 * (K, P).
 */
final class LatentsShard implements AutoCloseable {

    /** Its row among the captions. */
    static final long EMPTY_CAPTION = 0;

    private final SafetensorsFile file;

    /**
     * What all pairs of one size have in common.
     *
     * @param pooled 0 without SDXL's additional embedding
     */
    record Dimensions(int views, int channels, int height, int width, int tokens, int embedding, int pooled) {

        /** Whether samples of both can be in one batch. */
        boolean fits(Dimensions other) {
            return equals(new Dimensions(
                    views, other.channels, other.height, other.width, other.tokens, other.embedding, other.pooled));
        }

        int latent() {
            return channels * height * width;
        }

        int prompt() {
            return tokens * embedding;
        }
    }

    LatentsShard(Path path) {
        this.file = SafetensorsFile.open(path);
    }

    Dimensions dimensions(LatentSize size) {
        long[] mean = shape("mean." + size);
        long[] prompt = shape("prompt_embeds");
        int pooled = file.tensors().containsKey("pooled") ? (int) shape("pooled")[1] : 0;
        if (mean.length != 5 || prompt.length != 3) {
            throw new IllegalArgumentException(
                    "A shard's 'mean." + size + "' must be (n, V, C, h, w) and its 'prompt_embeds' (K, 77, D) but "
                            + Arrays.toString(mean) + " and " + Arrays.toString(prompt) + " were found");
        }
        return new Dimensions(
                (int) mean[1], (int) mean[2], (int) mean[3], (int) mean[4], (int) prompt[1], (int) prompt[2], pooled);
    }

    long captionOf(LatentSize size, int row) {
        return bytes("caption_index." + size, row, Long.BYTES).getLong();
    }

    long positionOf(LatentSize size, int row) {
        return bytes("position." + size, row, Long.BYTES).getLong();
    }

    /** Copies row {@code row} of a tensor of rows of {@code width} numbers to {@code target} at {@code at}. */
    void copyRow(String tensor, long row, int width, float[] target, int at) {
        bytes(tensor, row, width * Float.BYTES).asFloatBuffer().get(target, at, width);
    }

    private ByteBuffer bytes(String tensor, long row, int width) {
        ByteBuffer bytes = ByteBuffer.allocate(width).order(ByteOrder.LITTLE_ENDIAN);
        file.read(tensor, row * width, bytes);
        return bytes.flip();
    }

    private long[] shape(String name) {
        TensorInfo info = file.tensors().get(name);
        if (info == null) {
            throw new IllegalArgumentException("A shard of latents lacks the tensor '" + name + "'");
        }
        return info.shape();
    }

    @Override
    public void close() {
        file.close();
    }
}
