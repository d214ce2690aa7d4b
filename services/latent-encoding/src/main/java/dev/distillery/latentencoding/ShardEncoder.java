package dev.distillery.latentencoding;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.diffusion.clip.PromptEncoder.Prompts;
import dev.distillery.diffusion.image.RgbImage;
import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.safetensors.SafetensorsWriter;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.diffusion.vae.AutoencoderKL.Posterior;

/**
 * Encodes one shard.
 *
 * <p>N pairs, V views, K distinct captions with the empty one, C x h x w a latent, D and P widths of the text embeddings.
 */
public final class ShardEncoder {
    private static final int PROMPTS_AT_ONCE = 16;
    private static final int IMAGES_AT_ONCE = 32;
    /** An auto-encoder's widest activation takes about 512 bytes to a pixel. */
    private static final int PIXELS_AT_ONCE = 1 << 20;

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Encoders encoders;
    private final EncodeSettings settings;

    /**
     * Files made from a shard.
     *
     * @param tensors safetensors: {@code mean} and {@code std} (N, V, C, h, w), unscaled; {@code caption_index} (N);
     *     {@code prompt_embeds} (K, 77, D), that of the empty caption first; for SDXL {@code pooled} (K, P) and {@code time_ids} (N, V, 6)
     * @param captions a JSON string to a line, N of them
     */
    public record Encoded(Path tensors, Path captions, int pairs) {}

    public ShardEncoder(Encoders encoders, EncodeSettings settings) {
        this.encoders = encoders;
        this.settings = settings;
    }

    /**
     * Encodes a shard in bounded memory.
     *
     * @param shard a tar of data-ingest; closed here
     * @param folder where the files are made
     * @param done told the pairs encoded so far
     * @throws NotFiniteException naming the pair whose latents are not numbers
     */
    public Encoded encode(InputStream shard, Path folder, IntConsumer done) throws IOException {
        try (var reader = new ShardReader(shard);
                var work = new Work(folder)) {
            var samples = new ArrayList<Sample>();
            for (Sample sample = reader.next(); sample != null; sample = reader.next()) {
                samples.add(sample);
                if (samples.size() * settings.views() >= viewsAtOnce()) {
                    work.images(samples);
                    samples.clear();
                    done.accept(work.captions.size());
                }
            }
            work.images(samples);
            work.prompts();
            done.accept(work.captions.size());
            return work.write(folder);
        }
    }

    private int viewsAtOnce() {
        int pixels = settings.resolution() * settings.resolution();
        return Math.max(1, Math.min(IMAGES_AT_ONCE, PIXELS_AT_ONCE / pixels));
    }

    /** The tensors of one shard while they grow. */
    private final class Work implements AutoCloseable {
        private final List<String> captions = new ArrayList<>();
        private final Map<String, Integer> distinct = new LinkedHashMap<>();
        private final Scratch mean;
        private final Scratch std;
        private final Scratch timeIds;
        private final Scratch promptEmbeds;
        private final Scratch pooled;
        private Shape latent; // (C, h, w)
        private Shape prompt; // (77, D)
        private long pooledWidth;

        Work(Path folder) throws IOException {
            distinct.put("", 0); // for training that drops captions
            mean = new Scratch(folder, "mean");
            std = new Scratch(folder, "std");
            timeIds = new Scratch(folder, "time-ids");
            promptEmbeds = new Scratch(folder, "prompt-embeds");
            pooled = new Scratch(folder, "pooled");
        }

        void images(List<Sample> samples) throws IOException {
            int side = settings.resolution();
            int views = settings.views();
            float[] pixels = new float[samples.size() * views * 3 * side * side];
            int at = 0;
            for (Sample sample : samples) {
                RgbImage resized = sample.image().resizeShortSide(side);
                for (int v = 0; v < views; v++, at += 3 * side * side) {
                    View view = View.draw(resized, settings, sample.position(), v);
                    view.of(resized, side).toChw(pixels, at);
                    timeIds.append(view.timeIds(sample.image(), side));
                }
                captions.add(sample.caption());
                distinct.putIfAbsent(sample.caption(), distinct.size());
            }
            int total = samples.size() * views;
            for (int first = 0; first < total; first += viewsAtOnce()) {
                encodeViews(samples, pixels, first, Math.min(viewsAtOnce(), total - first));
            }
        }

        private void encodeViews(List<Sample> samples, float[] pixels, int first, int count) throws IOException {
            int side = settings.resolution();
            int values = 3 * side * side;
            try (NDManager scope = Torch.newManager()) {
                float[] part = Arrays.copyOfRange(pixels, first * values, (first + count) * values);
                NDArray input = scope.create(part, new Shape(count, 3, side, side));
                Posterior posterior = encoders.vae().encode(input);
                latent = posterior.mean().getShape().slice(1);
                int bad = Math.max(mean.append(posterior.mean()), std.append(posterior.std()));
                if (bad >= 0) {
                    throw new NotFiniteException("the latent", samples.get((first + bad) / settings.views()));
                }
            }
        }

        void prompts() throws IOException {
            List<String> all = List.copyOf(distinct.keySet());
            for (int first = 0; first < all.size(); first += PROMPTS_AT_ONCE) {
                List<String> some = all.subList(first, Math.min(all.size(), first + PROMPTS_AT_ONCE));
                try (NDManager scope = Torch.newManager();
                        Torch.GradMode off = Torch.gradMode(false)) {
                    Prompts encoded = encoders.prompts().encode(some, scope);
                    prompt = encoded.promptEmbeds().getShape().slice(1);
                    int bad = promptEmbeds.append(encoded.promptEmbeds());
                    if (encoded.pooled() != null) {
                        pooledWidth = encoded.pooled().getShape().get(1);
                        bad = Math.max(bad, pooled.append(encoded.pooled()));
                    }
                    if (bad >= 0) {
                        throw new IllegalStateException("the text embedding of '" + some.get(bad) + "' is not finite");
                    }
                }
            }
        }

        Encoded write(Path folder) throws IOException {
            int pairs = captions.size();
            int views = settings.views();
            boolean sdxl = pooledWidth > 0;
            long[] latents = {pairs, views, latent.get(0), latent.get(1), latent.get(2)};
            var plan = new SafetensorsWriter.Plan()
                    .add("caption_index", DType.I64, pairs)
                    .add("mean", DType.F32, latents)
                    .add("std", DType.F32, latents)
                    .add("prompt_embeds", DType.F32, distinct.size(), prompt.get(0), prompt.get(1));
            if (sdxl) {
                plan.add("pooled", DType.F32, distinct.size(), pooledWidth).add("time_ids", DType.F32, pairs, views, 6);
            }
            Path tensors = folder.resolve("tensors.safetensors");
            FileChannel file = FileChannel.open(
                    tensors, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE);
            try (var writer = new SafetensorsWriter(file, plan)) {
                writer.write("caption_index", captionIndex());
                writer.write("mean", mean.content());
                writer.write("std", std.content());
                writer.write("prompt_embeds", promptEmbeds.content());
                if (sdxl) {
                    writer.write("pooled", pooled.content());
                    writer.write("time_ids", timeIds.content());
                }
            }
            return new Encoded(tensors, writeCaptions(folder), pairs);
        }

        private ByteBuffer captionIndex() {
            ByteBuffer index = ByteBuffer.allocate(8 * captions.size()).order(ByteOrder.LITTLE_ENDIAN);
            captions.forEach(caption -> index.putLong(distinct.get(caption)));
            return index.flip();
        }

        private Path writeCaptions(Path folder) throws IOException {
            var lines = new StringBuilder();
            for (String caption : captions) {
                lines.append(JSON.writeValueAsString(caption)).append('\n');
            }
            return Files.writeString(folder.resolve("captions.jsonl"), lines, StandardCharsets.UTF_8);
        }

        @Override
        public void close() throws IOException {
            for (Scratch scratch : List.of(mean, std, timeIds, promptEmbeds, pooled)) {
                scratch.close();
            }
        }
    }
}
