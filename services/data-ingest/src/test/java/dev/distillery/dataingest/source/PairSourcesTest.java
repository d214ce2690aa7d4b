package dev.distillery.dataingest.source;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class PairSourcesTest {
    private static final Path NOTO_EMOJI = Path.of("../../deploy/examples/noto-emoji");

    @TempDir
    Path folder;

    @Test
    void shouldReadEveryPairOfAHuggingFaceParquetDataSet() throws IOException {
        // Given
        PairSource source = PairSources.open(new LocalTree(NOTO_EMOJI), "image", "text");

        // When
        List<Pair> pairs = readFrom(source, 0);

        // Then
        assertThat(pairs).hasSize(1911);
        assertThat(source.size()).isEqualTo(1911);
        assertThat(pairs.get(0).where())
                .startsWith("data/train-00000-of-00004.parquet row 0 (")
                .endsWith(".png)");
        assertThat(pairs).allSatisfy(p -> {
            assertThat(p.caption()).isNotBlank();
            assertThat(p.image()).startsWith(0x89, 'P', 'N', 'G');
        });
    }

    @Test
    void shouldGoOnWhereItWasLeft() throws IOException {
        // Given
        PairSource source = PairSources.open(new LocalTree(NOTO_EMOJI), "image", "text");
        List<String> all = readFrom(source, 0).stream().map(Pair::where).toList();

        for (int position : new int[] {1, 477, 478, 1000, 1910, 1911, 5000}) {
            // When
            List<Pair> rest = readFrom(source, position);

            // Then
            assertThat(rest).extracting(Pair::where).isEqualTo(all.subList(Math.min(position, 1911), 1911));
        }
    }

    @Test
    void shouldNameTheColumnsThatThereAreWhenOneIsMissing() throws IOException {
        // Given
        LocalTree tree = new LocalTree(NOTO_EMOJI);

        // When, Then
        assertThatThrownBy(() -> PairSources.open(tree, "image", "caption"))
                .isInstanceOfSatisfying(
                        SourceException.class, e -> assertThat(e.field()).isEqualTo("dataset.caption"))
                .hasMessageContaining("no column 'caption'; it has image, text");
        assertThatThrownBy(() -> PairSources.open(tree, "text", "text"))
                .isInstanceOfSatisfying(
                        SourceException.class, e -> assertThat(e.field()).isEqualTo("dataset.image"))
                .hasMessageContaining("is VARCHAR, not a struct of bytes and path");
    }

    @Test
    void shouldReadPlainBytesAndTheTrainSplitOnly() throws Exception {
        // Given
        parquet("train.parquet", "SELECT 'ab'::BLOB AS \"my image\", 'one' AS \"it's text\"");
        parquet("test.parquet", "SELECT 'cd'::BLOB AS \"my image\", 'two' AS \"it's text\"");

        // When
        List<Pair> pairs = readFrom(PairSources.open(new LocalTree(folder), "my image", "it's text"), 0);

        // Then
        assertThat(pairs).singleElement().satisfies(p -> {
            assertThat(p.image()).containsExactly('a', 'b');
            assertThat(p.caption()).isEqualTo("one");
            assertThat(p.where()).isEqualTo("train.parquet row 0");
        });
    }

    @Test
    void shouldReadImagesWithJsonLines() throws IOException {
        // Given a line with all, one without caption, one whose file is missing
        Files.createDirectories(folder.resolve("train"));
        Files.write(folder.resolve("train/a.png"), new byte[] {1});
        Files.writeString(
                folder.resolve("train/metadata.jsonl"),
                """
                {"file_name": "a.png", "text": "A, \\"quoted\\""}
                {"file_name": "a.png"}

                {"file_name": "gone.png", "text": "C"}
                """);

        // When
        PairSource source = PairSources.open(new LocalTree(folder), "image", "text");

        // Then
        assertThat(source.size()).isEqualTo(3);
        assertThat(readFrom(source, 0))
                .usingRecursiveFieldByFieldElementComparator()
                .containsExactly(
                        new Pair("train/metadata.jsonl line 1 (a.png)", new byte[] {1}, "A, \"quoted\""),
                        new Pair("train/metadata.jsonl line 2 (a.png)", new byte[] {1}, null),
                        new Pair("train/metadata.jsonl line 3 (gone.png)", null, "C"));
    }

    @Test
    void shouldReadImagesWithCsvAndNothingOutsideOfTheFolder() throws IOException {
        // Given
        Path inner = Files.createDirectories(folder.resolve("set"));
        Files.write(folder.resolve("secret.png"), new byte[] {7});
        Files.write(inner.resolve("a.png"), new byte[] {1});
        Files.writeString(
                inner.resolve("metadata.csv"),
                "file_name,caption\n./a.png,\"two\nlines, and a comma\"\n../secret.png,not ours\n");

        // When
        List<Pair> pairs = readFrom(PairSources.open(new LocalTree(inner), "image", "caption"), 0);

        // Then
        assertThat(pairs).extracting(Pair::caption).containsExactly("two\nlines, and a comma", "not ours");
        assertThat(pairs).extracting(Pair::image).containsExactly(new byte[] {1}, null);
    }

    @Test
    void shouldReadImagesWithCaptionsInFilesBesideThem() throws IOException {
        // Given
        Path inner = Files.createDirectories(folder.resolve("10_dog"));
        for (String image : new String[] {"a.png", "b.JPG", "c.webp", "d.png"}) {
            Files.write(inner.resolve(image), new byte[] {1});
        }
        Files.writeString(inner.resolve("a.txt"), " a dog \n");
        Files.writeString(inner.resolve("b.caption"), "a cat");
        Files.writeString(inner.resolve("d.txt"), "by text");
        Files.writeString(inner.resolve("d.caption"), "by caption");
        Files.writeString(inner.resolve("notes.txt"), "no image's");

        // When
        PairSource source = PairSources.open(new LocalTree(folder), "image", "text");

        // Then
        assertThat(source.size()).isEqualTo(4);
        assertThat(readFrom(source, 0)).extracting(Pair::caption).containsExactly("a dog", "a cat", null, "by text");
        assertThat(readFrom(source, 1).get(0).where()).isEqualTo("10_dog/b.JPG");
    }

    @Test
    void shouldReadArchivesOfWebDatasetAndGoOnBehindABrokenOne() throws IOException {
        // Given
        tar(
                "00000.tar",
                "000.jpg",
                "1",
                "000.txt",
                "a dog",
                "000.json",
                "{\"caption\": \"of json\"}",
                "001.png",
                "2",
                "001.json",
                "{\"caption\": \"a cat\", \"title\": \"Cat\"}",
                "x/002.jpg",
                "3",
                "x/._002.jpg",
                "4",
                "x/002.txt",
                "in a folder");
        Path broken =
                tar("00001.tar", "000.jpg", "5", "000.txt", "good", "001.jpg", "6".repeat(5000), "001.txt", "cut");
        Files.write(broken, Arrays.copyOf(Files.readAllBytes(broken), 4000));
        tar("00002.tar", "000.txt", "no image", "001.jpg", "7");

        // When
        PairSource source = PairSources.open(new LocalTree(folder), "image", "text");
        List<Pair> pairs = readFrom(source, 0);

        // Then
        assertThat(where(pairs))
                .hasSize(7)
                .startsWith("00000.tar 000", "00000.tar 001", "00000.tar x/002", "00001.tar 000")
                .endsWith("00002.tar 000", "00002.tar 001");
        assertThat(pairs.get(4).where()).startsWith("00001.tar (");
        assertThat(pairs)
                .extracting(Pair::caption)
                .containsExactly("a dog", "a cat", "in a folder", "good", null, "no image", null);
        assertThat(pairs.get(4).problem()).isEqualTo("broken archive");
        assertThat(pairs.get(0).image()).isEqualTo("1".getBytes());
        assertThat(source.size()).isEqualTo(7);
        assertThat(readFrom(source, 2))
                .extracting(Pair::where)
                .isEqualTo(where(pairs).subList(2, 7));
        assertThat(readFrom(PairSources.open(new LocalTree(folder), "image", "title"), 1)
                        .get(0)
                        .caption())
                .isEqualTo("Cat");
    }

    private static List<String> where(List<Pair> pairs) {
        return pairs.stream().map(Pair::where).toList();
    }

    /** @param content name, text, name, text ... */
    private Path tar(String name, String... content) throws IOException {
        Path file = folder.resolve(name);
        try (var tar = new TarArchiveOutputStream(Files.newOutputStream(file))) {
            for (int i = 0; i < content.length; i += 2) {
                var entry = new TarArchiveEntry(content[i]);
                entry.setSize(content[i + 1].length());
                tar.putArchiveEntry(entry);
                tar.write(content[i + 1].getBytes());
                tar.closeArchiveEntry();
            }
        }
        return file;
    }

    @Test
    void shouldSayWhatAFolderHoldsWhenItIsNoDataSet() throws IOException {
        // Given
        Files.write(folder.resolve("a.png"), new byte[] {1});
        Files.write(folder.resolve("b.arrow"), new byte[] {1});

        // When, Then
        assertThatThrownBy(() -> PairSources.open(new LocalTree(folder), "image", "text"))
                .hasMessageContaining("no *.parquet files, no metadata.jsonl or metadata.csv, no *.tar files")
                .hasMessageContaining("it holds a.png, b.arrow");
        Files.writeString(folder.resolve("broken.parquet"), "<html>");
        assertThatThrownBy(() -> PairSources.open(new LocalTree(folder), "image", "text"))
                .hasMessageContaining("broken.parquet cannot be read as parquet");
    }

    private void parquet(String file, String select) throws Exception {
        try (Connection db = DriverManager.getConnection("jdbc:duckdb:");
                Statement statement = db.createStatement()) {
            statement.execute("COPY (" + select + ") TO '" + folder.resolve(file) + "' (FORMAT parquet)");
        }
    }

    private static List<Pair> readFrom(PairSource source, long position) throws IOException {
        var pairs = new ArrayList<Pair>();
        try (PairSource.Cursor cursor = source.from(position)) {
            for (Pair pair = cursor.next(); pair != null; pair = cursor.next()) {
                pairs.add(pair);
            }
        }
        return pairs;
    }
}
