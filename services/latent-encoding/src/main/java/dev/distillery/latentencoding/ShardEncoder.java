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
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.IntConsumer;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.artifacts.shard.Sample;
import dev.distillery.artifacts.shard.ShardReader;
import dev.distillery.diffusion.clip.PromptEncoder.Prompts;
import dev.distillery.diffusion.image.InOrder;
import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.safetensors.SafetensorsWriter;
import dev.distillery.diffusion.tensor.Torch;

/**
 * Encodes one shard: images are decoded, resized and cropped by all cores while those before them go through the auto-encoder.
 *
 * <p>n of N pairs of one size, V views, K distinct captions with the empty one, C x h x w a latent, D and P widths of the text
 * embeddings.
 */
public final class ShardEncoder {
    private static final int PROMPTS_AT_ONCE = 16;

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Encoders encoders;
    private final EncodeSettings settings;

    /**
     * Files made from a shard.
     *
     * @param tensors safetensors: for each size of latents, named as in {@code mean.128x128}, {@code mean} and {@code std}
     *     (n, V, C, h, w), unscaled, {@code position} (n) in the data set and {@code caption_index} (n); for all {@code prompt_embeds} (K, 77, D), that of the empty
     *     caption first; for SDXL {@code pooled} (K, P), and for each size {@code time_ids} (n, V, 6)
     * @param captions a JSON string to a line, N of them, size after size
     * @param sizes how many pairs there are of each size, in the order of height and width
     */
    public record Encoded(Path tensors, Path captions, Map<String, Integer> sizes) {
        public int pairs() {
            return sizes.values().stream().mapToInt(Integer::intValue).sum();
        }
    }

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
                var images = images(reader, settings);
                var work = new Work(folder)) {
            for (Sample sample = images.item(); sample != null; sample = images.item()) {
                work.add(sample, images.result());
                images.pass();
                done.accept(work.pairs);
            }
            work.finishImages();
            work.prompts();
            return written(work);
        }
    }

    private static Encoded written(Work work) {
        try {
            return work.write();
        } catch (IOException e) {
            throw new LocalDiskException(e);
        }
    }

    /**
     * The images of a shard as the auto-encoder gets them.
     *
     * @param shard a tar of data-ingest, read to its end and not closed
     */
    public static InOrder<Sample, PreparedImage> images(InputStream shard, EncodeSettings settings) {
        return images(new ShardReader(shard), settings);
    }

    private static InOrder<Sample, PreparedImage> images(ShardReader reader, EncodeSettings settings) {
        return new InOrder<>(
                reader::next, sample -> PreparedImage.of(sample, settings), sample -> sample.image().length);
    }

    /** The tensors of one shard while they grow. */
    private final class Work implements AutoCloseable {
        private final Path folder;
        private final SortedMap<ImageSize, SizedLatents> sizes =
                new TreeMap<>(Comparator.comparing(ImageSize::height).thenComparing(ImageSize::width));
        private final Map<String, Integer> distinct = new LinkedHashMap<>();
        private final Scratch promptEmbeds;
        private final Scratch pooled;
        private int pairs;
        private Shape prompt; // (77, D)
        private long pooledWidth;

        Work(Path folder) {
            this.folder = folder;
            distinct.put("", 0); // for training that drops captions
            promptEmbeds = new Scratch(folder, "prompt-embeds");
            pooled = new Scratch(folder, "pooled");
        }

        void add(Sample sample, PreparedImage image) {
            SizedLatents latents = sizes.get(image.size());
            if (latents == null) {
                latents = new SizedLatents(image.size(), settings.views(), encoders.vae(), folder);
                sizes.put(image.size(), latents);
            }
            latents.add(sample, image);
            distinct.putIfAbsent(sample.caption(), distinct.size());
            pairs++;
        }

        void finishImages() {
            for (SizedLatents latents : sizes.values()) {
                latents.encode();
            }
        }

        void prompts() {
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

        Encoded write() throws IOException {
            boolean sdxl = pooledWidth > 0;
            var plan = new SafetensorsWriter.Plan();
            sizes.values().forEach(latents -> latents.plan(plan, sdxl));
            plan.add("prompt_embeds", DType.F32, distinct.size(), prompt.get(0), prompt.get(1));
            if (sdxl) {
                plan.add("pooled", DType.F32, distinct.size(), pooledWidth);
            }
            Path tensors = folder.resolve("tensors.safetensors");
            FileChannel file = FileChannel.open(
                    tensors, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE);
            try (var writer = new SafetensorsWriter(file, plan)) {
                for (SizedLatents latents : sizes.values()) {
                    latents.write(writer, captionIndex(latents), sdxl);
                }
                writer.write("prompt_embeds", promptEmbeds.content());
                if (sdxl) {
                    writer.write("pooled", pooled.content());
                }
            }
            var counts = new LinkedHashMap<String, Integer>();
            sizes.values()
                    .forEach(latents ->
                            counts.put(latents.sizeName(), latents.samples().size()));
            return new Encoded(tensors, writeCaptions(), counts);
        }

        private ByteBuffer captionIndex(SizedLatents latents) {
            ByteBuffer index = ByteBuffer.allocate(8 * latents.samples().size()).order(ByteOrder.LITTLE_ENDIAN);
            latents.samples().forEach(sample -> index.putLong(distinct.get(sample.caption())));
            return index.flip();
        }

        private Path writeCaptions() throws IOException {
            var lines = new StringBuilder();
            for (SizedLatents latents : sizes.values()) {
                for (Sample sample : latents.samples()) {
                    lines.append(JSON.writeValueAsString(sample.caption())).append('\n');
                }
            }
            return Files.writeString(folder.resolve("captions.jsonl"), lines, StandardCharsets.UTF_8);
        }

        @Override
        public void close() throws IOException {
            for (SizedLatents latents : sizes.values()) {
                latents.close();
            }
            promptEmbeds.close();
            pooled.close();
        }
    }
}
