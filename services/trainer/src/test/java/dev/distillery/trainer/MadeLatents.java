package dev.distillery.trainer;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.DoubleSupplier;

import dev.distillery.artifacts.Folders;
import dev.distillery.artifacts.Manifest;
import dev.distillery.diffusion.safetensors.DType;
import dev.distillery.diffusion.safetensors.SafetensorsWriter;
import dev.distillery.diffusion.safetensors.TensorInfo;
import dev.distillery.trainer.data.LatentsDataset;
import dev.distillery.trainer.data.LatentsIndex;
import dev.distillery.trainer.data.ShardCache;

/** Shards of latents as latent-encoding writes them, for the example's teacher, with made-up numbers. */
public final class MadeLatents {

    public static final int VIEWS = 2;
    private static final int CAPTIONS = 4; // with the empty one
    private static final int PIXELS = 64;

    private MadeLatents() {}

    /** What the manifest of such latents says of them. */
    public static Map<String, Object> about(int shards, int pairs, int validationPairs) {
        return Map.of(
                "shardSizes", Collections.nCopies(shards, Map.of("16x16", pairs)), "validationPairs", validationPairs);
    }

    /** Opens what {@link #write} wrote. */
    public static LatentsDataset open(Path folder, int shards, int pairs, int validationPairs) {
        LatentsIndex index =
                LatentsIndex.of(folder.toString(), manifest(folder, about(shards, pairs, validationPairs)));
        return new LatentsDataset(
                index,
                new ShardCache(
                        index,
                        folder.resolve("cache-" + System.nanoTime()).resolve("latents"),
                        Long.MAX_VALUE,
                        (file, sha256, target) -> Files.copy(folder.resolve(file), target)));
    }

    private static Manifest manifest(Path folder, Map<String, Object> about) {
        List<Manifest.FileEntry> files = new ArrayList<>();
        for (Path file : Folders.files(folder.resolve("shards"))) {
            files.add(new Manifest.FileEntry(
                    folder.relativize(file).toString(), file.toFile().length(), ""));
        }
        return new Manifest("latents", "", "", about, files);
    }

    /** Writes {@code folder/shards/00000.safetensors} and so on, of {@code pairs} pairs each. */
    public static Path write(Path folder, int shards, int pairs) {
        try {
            Files.createDirectories(folder.resolve("shards"));
            for (int shard = 0; shard < shards; shard++) {
                writeShard(folder.resolve(String.format("shards/%05d.safetensors", shard)), shard * pairs, pairs);
            }
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void writeShard(Path file, int first, int pairs) throws IOException {
        var random = new Random(first / pairs);
        SafetensorsWriter.Plan plan = new SafetensorsWriter.Plan()
                .add("mean.16x16", DType.F32, pairs, VIEWS, 4, 16, 16)
                .add("std.16x16", DType.F32, pairs, VIEWS, 4, 16, 16)
                .add("time_ids.16x16", DType.F32, pairs, VIEWS, 6)
                .add("prompt_embeds", DType.F32, CAPTIONS, 77, 96)
                .add("pooled", DType.F32, CAPTIONS, 64)
                .add("position.16x16", DType.I64, pairs)
                .add("caption_index.16x16", DType.I64, pairs);
        try (SafetensorsWriter writer = new SafetensorsWriter(
                FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), plan)) {
            for (TensorInfo tensor : plan.tensors()) {
                writer.write(tensor.name(), values(tensor, first, random));
            }
        }
    }

    private static ByteBuffer values(TensorInfo tensor, int first, Random random) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(tensor.bytes())).order(ByteOrder.LITTLE_ENDIAN);
        DoubleSupplier next =
                switch (tensor.name()) {
                    case "std.16x16" -> () -> 0.1;
                    case "time_ids.16x16" -> () -> PIXELS;
                    default -> random::nextGaussian;
                };
        for (long i = 0; i < tensor.elements(); i++) {
            if (tensor.name().startsWith("position.")) {
                bytes.putLong(first + i);
            } else if (tensor.dtype() == DType.I64) {
                bytes.putLong(1 + i % (CAPTIONS - 1));
            } else {
                bytes.putFloat((float) next.getAsDouble());
            }
        }
        return bytes.flip();
    }
}
