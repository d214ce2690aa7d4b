package dev.distillery.dataingest.shard;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.Manifest;
import dev.distillery.artifacts.Manifests;
import dev.distillery.dataingest.shard.DatasetIngest.Part;
import dev.distillery.dataingest.source.Pair;
import dev.distillery.dataingest.source.PairSource;
import dev.distillery.diffusion.image.RgbImage;
import dev.distillery.embedded.EmbeddedS3;
import dev.distillery.events.TrainRequest.Filter;
import dev.distillery.events.TrainRequest.Lengths;
import dev.distillery.events.TrainRequest.Range;
import dev.distillery.testing.Infrastructure;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class DatasetIngestTest {
    private static final Path IMAGE =
            Path.of("../libs/diffusion/src/test/resources/dev/distillery/diffusion/golden/image/alpha.png");

    @TempDir
    Path dir;

    private EmbeddedS3 s3;
    private ArtifactStore store;

    @BeforeEach
    void start() {
        s3 = EmbeddedS3.start(dir.resolve("s3"), 0);
        store = Infrastructure.store(s3.endpoint(), "distillery");
        store.ensureBucket();
    }

    @AfterEach
    void stop() {
        s3.close();
    }

    @Test
    void shouldPutTheHeldOutPairsLastInShardsOfTheirOwn() throws IOException {
        // Given one pair without a caption among those that train, and a limit
        List<Pair> train = pairs("train", 300);
        train.add(3, new Pair("bad", train.get(0).image(), null));
        List<Part> parts =
                List.of(part(source(train), 258, false), part(source(pairs("held", 5)), Long.MAX_VALUE, true));
        // When
        IngestedDataset data = new DatasetIngest(store).run("fp", parts, "s", (done, total) -> {});
        // Then
        assertThat(data.pairs()).isEqualTo(263);
        assertThat(data.shardPairs()).containsExactly(256, 2, 5);
        assertThat(manifest().about()).containsEntry("validationPairs", 5).containsEntry("skipped", 1);
        assertThat(captions(1)).containsExactly("000256.txt train 256", "000257.txt train 257");
        assertThat(captions(2)).startsWith("000258.txt held 0").hasSize(5);
    }

    @Test
    void shouldGoOnInThePartInWhichItWasCutOff() throws IOException {
        // Given
        List<Part> parts =
                List.of(part(source(pairs("train", 260)), 1000, false), part(source(pairs("held", 300)), 1000, true));
        new DatasetIngest(store).run("whole", parts, "s", (done, total) -> {});
        // When the second part's second shard is not reached
        List<Part> broken = List.of(parts.get(0), part(breaking(parts.get(1).pairs(), 280), 1000, true));
        assertThatThrownBy(() -> new DatasetIngest(store).run("cut", broken, "s", (done, total) -> {}))
                .isInstanceOf(IOException.class)
                .hasMessage("broken off");
        IngestedDataset data = new DatasetIngest(store).run("cut", parts, "s", (done, total) -> {});
        // Then
        assertThat(data.shardPairs()).containsExactly(256, 4, 256, 44);
        assertThat(digests("cut")).isEqualTo(digests("whole"));
    }

    @Test
    void shouldLeaveOutWhatTheRequestDoesNotWantAndCountItByReason() throws IOException {
        // Given
        byte[] good = png(40, 30, 1);
        List<Pair> pairs = List.of(
                new Pair("good", good, "a good one"),
                new Pair("small", png(40, 29, 2), "a small one"),
                new Pair("wide", png(61, 30, 3), "a wide one"),
                new Pair("short", png(40, 30, 4), "äöü"),
                new Pair("long", png(40, 30, 5), "a caption that is long"),
                new Pair("copy", good, "the same again"),
                new Pair("bounds", png(60, 30, 6), "abcd"));
        var filter = new Filter(30, new Range(0.5, 2.0), new Lengths(4, 15), "drop");
        // When
        IngestedDataset data = new DatasetIngest(store)
                .run("fp", List.of(new Part(source(pairs), filter, 100, false)), "s", (done, total) -> {});
        // Then
        assertThat(captions(0)).containsExactly("000000.txt a good one", "000001.txt abcd");
        assertThat(data.reasons())
                .isEqualTo(Map.of(
                        "image too small", 1,
                        "aspect out of range", 1,
                        "caption too short", 1,
                        "caption too long", 1,
                        "duplicate image", 1));
        assertThat(new String(store.read(Keys.shard(Keys.dataset("fp"), 0, "skipped.jsonl"))))
                .contains("\"61x30 pixels\"");
    }

    @Test
    void shouldKnowDuplicatesOfShardsThatWereFinishedBefore() throws IOException {
        // Given 300 different images, of which the last repeat the first
        List<Pair> pairs = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            pairs.add(new Pair("pair" + i, png(8, 8, i % 280), "text " + i));
        }
        var filter = new Filter(null, new Range(null, null), new Lengths(null, null), "drop");
        List<Part> cut = List.of(new Part(breaking(source(pairs), 270), filter, 1000, false));
        assertThatThrownBy(() -> new DatasetIngest(store).run("fp", cut, "s", (done, total) -> {}))
                .hasMessage("broken off");
        // When
        IngestedDataset data = new DatasetIngest(store)
                .run("fp", List.of(new Part(source(pairs), filter, 1000, false)), "s", (done, total) -> {});
        // Then
        assertThat(data.shardPairs()).containsExactly(256, 24);
        assertThat(data.reasons()).isEqualTo(Map.of("duplicate image", 20));
    }

    private static byte[] png(int width, int height, int shade) {
        byte[] rgb = new byte[3 * width * height];
        rgb[0] = (byte) shade;
        rgb[1] = (byte) (shade >> 8);
        return new RgbImage(width, height, rgb).png();
    }

    private static Part part(PairSource source, long limit, boolean validation) {
        return new Part(source, Filter.NONE, limit, validation);
    }

    private Manifest manifest() {
        return Manifests.find(store, Keys.dataset("fp")).orElseThrow();
    }

    private List<String> digests(String fingerprint) {
        return Manifests.find(store, Keys.dataset(fingerprint)).orElseThrow().files().stream()
                .map(file -> file.name() + " " + file.sha256())
                .sorted()
                .toList();
    }

    private List<String> captions(int shard) throws IOException {
        var captions = new ArrayList<String>();
        try (var tar = new TarArchiveInputStream(store.open(Keys.shard(Keys.dataset("fp"), shard, "tar")))) {
            for (var entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                if (entry.getName().endsWith(".txt")) {
                    captions.add(entry.getName() + " " + new String(tar.readAllBytes()));
                }
            }
        }
        return captions;
    }

    private static List<Pair> pairs(String name, int count) throws IOException {
        byte[] image = Files.readAllBytes(IMAGE);
        List<Pair> pairs = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            pairs.add(new Pair(name + i, image, name + " " + i));
        }
        return pairs;
    }

    private static PairSource source(List<Pair> pairs) {
        return new PairSource() {
            @Override
            public long size() {
                return pairs.size();
            }

            @Override
            public Cursor from(long position) {
                var iterator = pairs.listIterator((int) Math.min(position, pairs.size()));
                return new Cursor() {
                    @Override
                    public Pair next() {
                        return iterator.hasNext() ? iterator.next() : null;
                    }

                    @Override
                    public void close() {}
                };
            }
        };
    }

    private static PairSource breaking(PairSource source, int after) {
        return new PairSource() {
            @Override
            public long size() throws IOException {
                return source.size();
            }

            @Override
            public Cursor from(long position) throws IOException {
                Cursor cursor = source.from(position);
                return new Cursor() {
                    private int read;

                    @Override
                    public Pair next() throws IOException {
                        if (read++ == after) {
                            throw new IOException("broken off");
                        }
                        return cursor.next();
                    }

                    @Override
                    public void close() throws IOException {
                        cursor.close();
                    }
                };
            }
        };
    }
}
