package dev.distillery.trainer.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.safetensors.SafetensorsWriter;
import dev.distillery.trainer.data.LatentsDataset.Pair;

/**
 * Pictures of a subject's class, beside which the subject is learnt so that the class stays what it was: prior preservation
 * (DreamBooth, arXiv 2208.12242, section 3.3). In a file, as a shard of latents.
 *
 * @see <a href="https://github.com/huggingface/diffusers/blob/v0.35.1/examples/dreambooth/train_dreambooth_lora_sdxl.py#L1830">
 *     diffusers' script, whose loss this is: the mean over the subject's samples and {@code weight} times that over the class's</a>
 */
public final class Prior implements AutoCloseable {
    /** The places of its rows in a step, behind those of all pairs: they are drawn apart from these. */
    static final long SLOTS = 1L << 32;

    private final LatentsShard shard;
    private final LatentSize size;
    private final int pictures;
    private final double weight;
    private final int ofStep;

    /**
     * A picture's posterior.
     *
     * @param mean (C, h, w), unscaled
     * @param std (C, h, w)
     */
    public record Picture(float[] mean, float[] std) {}

    /**
     * The captions of all pictures, without and with words.
     *
     * @param embeds (2, 77, D)
     * @param pooled (2, P); empty without SDXL's additional embedding
     */
    public record Caption(float[] embeds, long[] shape, float[] pooled) {}

    private Prior(LatentsShard shard, LatentSize size, int pictures, double weight, int ofStep) {
        this.shard = shard;
        this.size = size;
        this.pictures = pictures;
        this.weight = weight;
        this.ofStep = ofStep;
    }

    /**
     * Writes {@code file} anew and opens it.
     *
     * @param latent (C, h, w)
     * @param px height and width of the pictures
     * @param weight of the class's loss
     * @param ofStep how many pairs a full step has
     */
    public static Prior of(
            Path file, List<Picture> pictures, long[] latent, Caption caption, int px, double weight, int ofStep)
            throws IOException {
        int n = pictures.size();
        LatentSize size = LatentSize.of(latent[1] + "x" + latent[2]);
        boolean additional = caption.pooled.length > 0;
        var plan = new SafetensorsWriter.Plan()
                .add("caption_index." + size, DType.I64, n)
                .add("mean." + size, DType.F32, n, 1, latent[0], latent[1], latent[2])
                .add("std." + size, DType.F32, n, 1, latent[0], latent[1], latent[2])
                .add("prompt_embeds", DType.F32, caption.shape);
        if (additional) {
            plan.add("time_ids." + size, DType.F32, n, 1, Batches.TIME_IDS)
                    .add("pooled", DType.F32, 2, caption.pooled.length / 2);
        }
        FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE);
        try (var writer = new SafetensorsWriter(channel, plan)) {
            writer.write("caption_index." + size, ones(n));
            writer.write(
                    "mean." + size, floats(pictures.stream().map(Picture::mean).toList()));
            writer.write(
                    "std." + size, floats(pictures.stream().map(Picture::std).toList()));
            writer.write("prompt_embeds", floats(List.of(caption.embeds)));
            if (additional) {
                List<float[]> ids = new ArrayList<>();
                pictures.forEach(picture -> ids.add(new float[] {px, px, 0, 0, px, px}));
                writer.write("time_ids." + size, floats(ids));
                writer.write("pooled", floats(List.of(caption.pooled)));
            }
        }
        return new Prior(new LatentsShard(file), size, n, weight, ofStep);
    }

    private static ByteBuffer ones(int n) {
        ByteBuffer bytes = ByteBuffer.allocate(n * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < n; i++) {
            bytes.putLong(1); // the caption with words
        }
        return bytes.flip();
    }

    private static ByteBuffer floats(List<float[]> arrays) {
        int all = arrays.stream().mapToInt(array -> array.length).reduce(0, Math::addExact);
        ByteBuffer bytes =
                ByteBuffer.allocate(Math.multiplyExact(all, Float.BYTES)).order(ByteOrder.LITTLE_ENDIAN);
        arrays.forEach(array -> {
            for (float value : array) {
                bytes.putFloat(value);
            }
        });
        return bytes.flip();
    }

    /** The picture beside the pair at a place of a step: all are seen once, in random order, before one is again. */
    Pair pair(long seed, long step, int slot) {
        long number = step * ofStep + slot;
        int[] order = Draws.of(seed, number / pictures, 0, "class").permutation(pictures);
        int row = order[(int) (number % pictures)];
        return new Pair(new ShardCache.Use(shard, () -> {}), new LatentsIndex.Place(0, size, row));
    }

    /** Of n pairs and the n pictures behind them, whose mean is to be the sum of both means. */
    float[] weights(int n) {
        float[] weights = new float[2 * n];
        for (int i = 0; i < n; i++) {
            weights[i] = 2;
            weights[n + i] = (float) (2 * weight);
        }
        return weights;
    }

    @Override
    public void close() {
        shard.close();
    }
}
