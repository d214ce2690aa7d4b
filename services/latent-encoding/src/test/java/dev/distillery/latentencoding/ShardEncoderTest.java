package dev.distillery.latentencoding;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.distillery.diffusion.image.RgbImage;
import dev.distillery.diffusion.safetensors.SafetensorsFile;
import dev.distillery.diffusion.tensor.Torch;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class ShardEncoderTest {
    private static final Path MINI_SDXL = Path.of("../../deploy/examples/mini-sdxl");
    private static Encoders encoders;

    @TempDir
    Path folder;

    @BeforeAll
    static void load() {
        encoders = new Encoders(MINI_SDXL);
    }

    @AfterAll
    static void close() {
        encoders.close();
    }

    @Test
    void shouldEncodeImagesViewsAndEachDistinctCaptionOnce() throws IOException {
        // Given 40 pairs (more than go through the auto-encoder at once) with three captions
        EncodeSettings settings = EncodeSettings.square(32, true, 0.5, 2);
        RgbImage[] images = new RgbImage[40];
        String[] captions = new String[40];
        for (int i = 0; i < 40; i++) {
            images[i] = picture(48 + i, 40, i);
            captions[i] = "caption " + i % 3;
        }
        var progress = new ArrayList<Integer>();

        // When
        ShardEncoder.Encoded encoded =
                new ShardEncoder(encoders, settings).encode(shard(1000, images, captions), folder, progress::add);

        // Then
        assertThat(progress).endsWith(40).isSorted();
        assertThat(Files.readAllLines(encoded.captions())).hasSize(40).startsWith("\"caption 0\"", "\"caption 1\"");
        try (SafetensorsFile file = SafetensorsFile.open(encoded.tensors());
                NDManager manager = Torch.newManager()) {
            assertThat(file.tensors().get("mean.8x8").shape()).containsExactly(40, 2, 4, 8, 8);
            assertThat(file.tensors().get("std.8x8").shape()).containsExactly(40, 2, 4, 8, 8);
            assertThat(file.tensors().get("time_ids.8x8").shape()).containsExactly(40, 2, 6);
            assertThat(file.tensors().get("prompt_embeds").shape()).containsExactly(4, 77, 96);
            assertThat(file.tensors().get("pooled").shape()[0]).isEqualTo(4);
            assertThat(file.data("caption_index.8x8").asLongBuffer().get(38)).isEqualTo(3);
            assertThat(file.data("position.8x8").asLongBuffer().get(38)).isEqualTo(1038);

            // the 37th pair's second view, computed again by itself
            ImageSize size = new ImageSize(32, 32);
            RgbImage resized = images[36].resizeToCover(32, 32);
            View view = View.draw(resized, size, settings, 1036, 1);
            float[] pixels = new float[3 * 32 * 32];
            view.of(resized, size).toChw(pixels, 0);
            NDArray mean = encoders.vae()
                    .encode(manager.create(pixels, new Shape(1, 3, 32, 32)))
                    .mean();
            assertThat(difference(mean, file.data("mean.8x8").asFloatBuffer(), (36 * 2 + 1) * 256))
                    .isLessThan(1e-4f);
            float[] ids = new float[6];
            file.data("time_ids.8x8").asFloatBuffer().get((36 * 2 + 1) * 6, ids);
            assertThat(ids).containsExactly(40, 84, view.top(), view.left(), 32, 32);
            List<String> first = List.of("", "caption 0", "caption 1");
            NDArray prompts = encoders.prompts().encode(first, manager).promptEmbeds();
            assertThat(difference(prompts, file.data("prompt_embeds").asFloatBuffer(), 0))
                    .isLessThan(1e-4f);
        }
        try (var left = Files.list(folder)) {
            assertThat(left).hasSize(2);
        }
    }

    @Test
    void shouldKeepTheShapesOfImagesAndLoseNoneOfARareOne() throws IOException {
        // Given 37 nearly square images, one tall and two wide ones among them
        EncodeSettings settings = new EncodeSettings(ImageSize.buckets(64, 16), true, 0, 1);
        RgbImage[] images = new RgbImage[40];
        String[] captions = new String[40];
        for (int i = 0; i < 40; i++) {
            images[i] = picture(60 + i % 3, 60, i);
            captions[i] = "square " + i;
        }
        images[5] = picture(50, 150, 5);
        images[6] = picture(300, 150, 6);
        images[30] = picture(210, 100, 30);

        // When
        ShardEncoder.Encoded encoded =
                new ShardEncoder(encoders, settings).encode(shard(0, images, captions), folder, done -> {});

        // Then
        assertThat(encoded.sizes()).isEqualTo(Map.of("12x24", 2, "16x16", 37, "24x12", 1));
        assertThat(List.copyOf(encoded.sizes().keySet())).containsExactly("12x24", "16x16", "24x12");
        assertThat(Files.readAllLines(encoded.captions()))
                .hasSize(40)
                .startsWith("\"square 6\"", "\"square 30\"", "\"square 0\"")
                .endsWith("\"square 39\"", "\"square 5\"");
        try (SafetensorsFile file = SafetensorsFile.open(encoded.tensors());
                NDManager manager = Torch.newManager()) {
            ImageSize wide = new ImageSize(96, 48);
            RgbImage resized = images[30].resizeToCover(96, 48);
            assertThat(resized.width() + "x" + resized.height()).isEqualTo("100x48");
            View view = View.draw(resized, wide, settings, 30, 0);
            float[] pixels = new float[3 * wide.pixels()];
            view.of(resized, wide).toChw(pixels, 0);
            NDArray mean = encoders.vae()
                    .encode(manager.create(pixels, new Shape(1, 3, 48, 96)))
                    .mean();
            assertThat(difference(mean, file.data("mean.12x24").asFloatBuffer(), 4 * 12 * 24))
                    .isLessThan(1e-4f);
            float[] ids = new float[6];
            file.data("time_ids.12x24").asFloatBuffer().get(6, ids);
            assertThat(ids).containsExactly(100, 210, view.top(), view.left(), 48, 96);
            assertThat(file.data("position.12x24").asLongBuffer().get(1)).isEqualTo(30);
            long caption = file.data("caption_index.12x24").asLongBuffer().get(1);
            NDArray prompt =
                    encoders.prompts().encode(List.of("square 30"), manager).promptEmbeds();
            assertThat(difference(prompt, file.data("prompt_embeds").asFloatBuffer(), (int) caption * 77 * 96))
                    .isLessThan(1e-4f);
        }
    }

    @Test
    void shouldNameThePairWhoseLatentIsNotANumber() throws IOException {
        // Given an auto-encoder that overflows: its weights' first bytes are those of NaN
        Path broken = folder.resolve("broken");
        for (String part : List.of("vae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2")) {
            Files.createDirectories(broken.resolve(part));
            try (var files = Files.list(MINI_SDXL.resolve(part))) {
                for (Path file : files.toList()) {
                    Files.copy(file, broken.resolve(part).resolve(file.getFileName()));
                }
            }
        }
        Path weights = broken.resolve("vae/diffusion_pytorch_model.safetensors");
        long start;
        try (SafetensorsFile file = SafetensorsFile.open(weights)) {
            start = file.tensors().get("encoder.conv_in.bias").offset();
        }
        byte[] bytes = Files.readAllBytes(weights);
        int header = 8 + (bytes[0] & 0xff) + ((bytes[1] & 0xff) << 8) + ((bytes[2] & 0xff) << 16);
        bytes[header + (int) start] = bytes[header + (int) start + 1] = 0x7f;
        Files.write(weights, bytes);

        // When, Then
        try (Encoders overflowing = new Encoders(broken)) {
            ShardEncoder encoder = new ShardEncoder(overflowing, EncodeSettings.square(32, false, 0, 1));
            assertThatThrownBy(() -> encoder.encode(
                            shard(7, new RgbImage[] {picture(32, 32, 1)}, new String[] {"a red ball"}),
                            folder,
                            done -> {}))
                    .isInstanceOf(NotFiniteException.class)
                    .hasMessageContaining("pair 7 ('a red ball')")
                    .hasMessageContaining("teacher.vae");
        }
    }

    private static float difference(NDArray expected, FloatBuffer actual, int at) {
        float largest = 0;
        for (float value : expected.toFloatArray()) {
            largest = Math.max(largest, Math.abs(value - actual.get(at++)));
        }
        return largest;
    }

    private static RgbImage picture(int width, int height, int seed) {
        byte[] rgb = new byte[3 * width * height];
        new Random(seed).nextBytes(rgb);
        return new RgbImage(width, height, rgb);
    }

    static ByteArrayInputStream shard(int first, RgbImage[] images, String[] captions) throws IOException {
        var out = new ByteArrayOutputStream();
        try (var tar = new TarArchiveOutputStream(out)) {
            for (int i = 0; i < images.length; i++) {
                put(tar, "%06d.png".formatted(first + i), images[i].png());
                put(tar, "%06d.txt".formatted(first + i), captions[i].getBytes());
            }
        }
        return new ByteArrayInputStream(out.toByteArray());
    }

    private static void put(TarArchiveOutputStream tar, String name, byte[] content) throws IOException {
        var entry = new TarArchiveEntry(name);
        entry.setSize(content.length);
        tar.putArchiveEntry(entry);
        tar.write(content);
        tar.closeArchiveEntry();
    }
}
