package dev.distillery.dataingest.shard;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import dev.distillery.dataingest.source.Pair;
import dev.distillery.dataingest.source.PairSource.Cursor;
import dev.distillery.diffusion.image.RgbImage;
import dev.distillery.events.TrainRequest;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class ShardTarTest {
    private static final byte[] PNG = new RgbImage(1, 1, new byte[3]).png();

    @Test
    void shouldPackUsablePairsAndTakeDownTheOthers() throws IOException {
        // Given
        UsablePairs pairs = pairs(
                new Pair("a", PNG, "first"),
                new Pair("b", PNG, " "),
                new Pair("c", null, "text"),
                new Pair("d", new byte[0], "text"),
                new Pair("e", "<html>".getBytes(), "text"),
                new Pair("f", Arrays.copyOf(PNG, PNG.length - 30), "text"),
                new Pair("g", PNG, "zweites Bild 🙂"));

        // When
        Map<String, byte[]> tar = shard(pairs, 5, 100);

        // Then
        assertThat(tar).containsOnlyKeys("000005.png", "000005.txt", "000006.png", "000006.txt");
        assertThat(tar.get("000005.png")).isEqualTo(PNG);
        assertThat(tar.get("000006.txt")).asString().isEqualTo("zweites Bild 🙂");
        assertThat(pairs.position()).isEqualTo(7);
        List<Skipped> skipped = pairs.skipped();
        assertThat(skipped).extracting(Skipped::source).containsExactly("b", "c", "d", "e", "f");
        assertThat(skipped)
                .extracting(Skipped::reason)
                .startsWith("no caption", "no image", "the file is empty", "not an image of a known format");
    }

    @Test
    void shouldEndAShardAtItsBoundsAndGoOnWithTheNextPair() throws IOException {
        // Given images of 100 MiB (a PNG may be followed by anything)
        byte[] large = Arrays.copyOf(PNG, 100 << 20);
        Pair pair = new Pair("large", large, "text");

        // When
        UsablePairs pairs = pairs(pair, pair, pair);
        int first = ShardTar.write(pairs, 0, 100, OutputStream.nullOutputStream());
        long next = pairs.position();
        int second = ShardTar.write(pairs, first, 100, OutputStream.nullOutputStream());

        // Then
        assertThat(List.of(first, (int) next, second)).containsExactly(2, 2, 1);
    }

    @Test
    void shouldTakeAtMostAsManyAsAsked() throws IOException {
        // Given
        Pair[] many = new Pair[300];
        Arrays.fill(many, new Pair("x", PNG, "text"));

        // When, Then
        UsablePairs pairs = pairs(many);
        assertThat(shard(pairs, 0, 3)).hasSize(6);
        assertThat(shard(pairs, 3, 1000)).hasSize(512);
        assertThat(shard(pairs, 259, 1000)).hasSize(82);
    }

    private static UsablePairs pairs(Pair... pairs) {
        Iterator<Pair> iterator = List.of(pairs).iterator();
        return new UsablePairs(
                new Cursor() {
                    @Override
                    public Pair next() {
                        return iterator.hasNext() ? iterator.next() : null;
                    }

                    @Override
                    public void close() {}
                },
                0,
                new PairFilter(TrainRequest.Filter.NONE),
                new SeenImages());
    }

    private static Map<String, byte[]> shard(UsablePairs pairs, long first, long most) throws IOException {
        var out = new ByteArrayOutputStream();
        ShardTar.write(pairs, first, most, out);
        var files = new LinkedHashMap<String, byte[]>();
        try (var tar = new TarArchiveInputStream(new ByteArrayInputStream(out.toByteArray()))) {
            for (var entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                files.put(entry.getName(), tar.readAllBytes());
            }
        }
        return files;
    }
}
