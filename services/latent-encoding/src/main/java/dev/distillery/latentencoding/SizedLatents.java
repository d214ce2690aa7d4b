package dev.distillery.latentencoding;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.distillery.artifacts.shard.Sample;
import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.safetensors.SafetensorsWriter;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.vae.AutoencoderKL;
import dev.distillery.diffusion.vae.AutoencoderKL.Posterior;

/**
 * The latents of a shard's images of one size, while they grow: n of its N pairs, V views, C x h x w a latent. Images wait
 * until there are enough to go through the auto-encoder at once.
 */
final class SizedLatents implements AutoCloseable {
    private static final int IMAGES_AT_ONCE = 32;
    /** An auto-encoder's widest activation takes about 512 bytes to a pixel. */
    private static final int PIXELS_AT_ONCE = 1 << 20;

    private final ImageSize size;
    private final int views;
    private final AutoencoderKL vae;
    private final Scratch mean;
    private final Scratch std;
    private final Scratch timeIds;
    private final List<Sample> samples = new ArrayList<>();
    private final List<PreparedImage> waiting = new ArrayList<>();
    private Shape latent; // (C, h, w)

    SizedLatents(ImageSize size, int views, AutoencoderKL vae, Path folder) {
        this.size = size;
        this.views = views;
        this.vae = vae;
        mean = new Scratch(folder, "mean");
        std = new Scratch(folder, "std");
        timeIds = new Scratch(folder, "time-ids");
    }

    /** The pairs in the order of the rows. */
    List<Sample> samples() {
        return samples;
    }

    /** Encodes what waits if it is enough. */
    void add(Sample sample, PreparedImage image) {
        samples.add(new Sample(sample.position(), null, sample.caption()));
        waiting.add(image);
        for (float[] ids : image.timeIds()) {
            timeIds.append(ids);
        }
        if (waiting.size() * views >= atOnce()) {
            encode();
        }
    }

    private int atOnce() {
        return Math.max(1, Math.min(IMAGES_AT_ONCE, PIXELS_AT_ONCE / size.pixels()));
    }

    /** @throws NotFiniteException naming the pair whose latents are not numbers */
    void encode() {
        int first = samples.size() - waiting.size();
        int total = waiting.size() * views;
        for (int from = 0; from < total; from += atOnce()) {
            encode(first, from, Math.min(total, from + atOnce()));
        }
        waiting.clear();
    }

    private void encode(int firstSample, int from, int to) {
        int values = 3 * size.pixels();
        float[] pixels = new float[(to - from) * values];
        for (int i = from; i < to; i++) {
            waiting.get(i / views).views().get(i % views).toChw(pixels, (i - from) * values);
        }
        try (NDManager scope = Torch.newManager()) {
            NDArray input = scope.create(pixels, new Shape(to - from, 3, size.height(), size.width()));
            Posterior posterior = vae.encode(input);
            latent = posterior.mean().getShape().slice(1);
            int bad = Math.max(mean.append(posterior.mean()), std.append(posterior.std()));
            if (bad >= 0) {
                throw new NotFiniteException("the latent", samples.get(firstSample + (from + bad) / views));
            }
        }
    }

    /** As in {@code mean.128x128}: the latents' height and width. */
    String sizeName() {
        return latent.get(1) + "x" + latent.get(2);
    }

    /** @param additional whether SDXL's time ids are wanted */
    void plan(SafetensorsWriter.Plan plan, boolean additional) {
        int pairs = samples.size();
        long[] shape = {pairs, views, latent.get(0), latent.get(1), latent.get(2)};
        plan.add("position." + sizeName(), DType.I64, pairs)
                .add("caption_index." + sizeName(), DType.I64, pairs)
                .add("mean." + sizeName(), DType.F32, shape)
                .add("std." + sizeName(), DType.F32, shape);
        if (additional) {
            plan.add("time_ids." + sizeName(), DType.F32, pairs, views, 6);
        }
    }

    /** @param captionIndex of the pairs */
    void write(SafetensorsWriter writer, ByteBuffer captionIndex, boolean additional) throws IOException {
        writer.write("position." + sizeName(), positions());
        writer.write("caption_index." + sizeName(), captionIndex);
        writer.write("mean." + sizeName(), mean.content());
        writer.write("std." + sizeName(), std.content());
        if (additional) {
            writer.write("time_ids." + sizeName(), timeIds.content());
        }
    }

    private ByteBuffer positions() {
        ByteBuffer positions = ByteBuffer.allocate(Long.BYTES * samples.size()).order(ByteOrder.LITTLE_ENDIAN);
        samples.forEach(sample -> positions.putLong(sample.position()));
        return positions.flip();
    }

    @Override
    public void close() throws IOException {
        for (Scratch scratch : List.of(mean, std, timeIds)) {
            scratch.close();
        }
    }
}
