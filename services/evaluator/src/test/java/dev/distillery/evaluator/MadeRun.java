package dev.distillery.evaluator;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.HeldOutPairs;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.PrefixWriter;
import dev.distillery.diffusion.image.RgbImage;
import dev.distillery.events.TrainRequest;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/**
 * A run of the store whose student is the example's teacher, once more: so all errors are 0. Of its 30 pairs, in two shards,
 * 20 are held out; their images are noise.
 */
final class MadeRun {
    static final Path TEACHER = Path.of("../../deploy/examples/mini-sdxl");
    static final int HELD_OUT = 20;

    private static final List<Integer> SHARDS = List.of(13, 17);

    private MadeRun() {}

    /** @param evaluate of the train request, in YAML */
    static void write(ArtifactStore store, String run, String evaluate) throws IOException {
        String request =
                """
                {run: %s, teacher: {model: 'file:///t'}, dataset: {source: 's3://b/p'}, encode: {resolution: 64},
                evaluate: %s}"""
                        .formatted(run, evaluate);
        store.put(Keys.request(run), TrainRequest.parse(request).canonicalJson());
        store.put(
                Keys.stage(run, "train"),
                "{\"stage\": \"train\", \"detail\": {\"model\": \"0f\", \"dataset\": \"1e\"}}"
                        .getBytes(StandardCharsets.UTF_8));
        folder(store, Keys.model("0f"), "", TEACHER);
        folder(store, Keys.runModel(run), "unet/", TEACHER.resolve("unet"));
        var data = new PrefixWriter(store, Keys.dataset("1e"));
        int first = 0;
        for (int shard = 0; shard < SHARDS.size(); shard++) {
            data.add(Keys.shardName(shard, "tar"), tar(first, SHARDS.get(shard)));
            first += SHARDS.get(shard);
        }
        data.complete("dataset", Map.of("shardPairs", SHARDS));
        List<Long> heldOut = LongStream.range(0, 30)
                .map(i -> 7 * i % 30)
                .limit(HELD_OUT)
                .boxed()
                .toList();
        store.put(Keys.heldOut(run), new HeldOutPairs(heldOut).json());
    }

    /** Replaces the run's model by one whose text encoders, in folders below {@code encoders}, were trained, too. */
    static void trainTextEncoders(ArtifactStore store, String run, Path encoders) throws IOException {
        store.delete(Keys.manifest(Keys.runModel(run)));
        var writer = new PrefixWriter(store, Keys.runModel(run));
        for (Path folder : List.of(
                TEACHER.resolve("unet"), encoders.resolve("text_encoder"), encoders.resolve("text_encoder_2"))) {
            try (Stream<Path> files = Files.list(folder)) {
                files.forEach(file -> writer.add(folder.getFileName() + "/" + file.getFileName(), file));
            }
        }
        writer.complete("model", Map.of("trainedTextEncoders", List.of("text_encoder", "text_encoder_2")));
    }

    private static void folder(ArtifactStore store, String prefix, String below, Path folder) throws IOException {
        var writer = new PrefixWriter(store, prefix);
        try (Stream<Path> files = Files.walk(folder)) {
            files.filter(Files::isRegularFile).forEach(file -> writer.add(below + folder.relativize(file), file));
        }
        writer.complete("model", Map.of());
    }

    /** Image and caption by the position in the data set. */
    private static byte[] tar(int first, int count) {
        var bytes = new ByteArrayOutputStream();
        try (var tar = new TarArchiveOutputStream(bytes)) {
            for (int i = first; i < first + count; i++) {
                put(tar, "%06d.png".formatted(i), noise(i).png());
                put(tar, "%06d.txt".formatted(i), ("picture " + i).getBytes(StandardCharsets.UTF_8));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static RgbImage noise(int seed) {
        var random = new Random(seed);
        float[] chw = new float[3 * 64 * 64];
        for (int i = 0; i < chw.length; i++) {
            chw[i] = 2 * random.nextFloat() - 1;
        }
        return RgbImage.fromChw(chw, 64, 64);
    }

    private static void put(TarArchiveOutputStream tar, String name, byte[] content) throws IOException {
        var entry = new TarArchiveEntry(name);
        entry.setSize(content.length);
        tar.putArchiveEntry(entry);
        tar.write(content);
        tar.closeArchiveEntry();
    }
}
