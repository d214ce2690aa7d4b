package dev.distillery.dataingest.source;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

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
                "file_name,caption\na.png,\"two\nlines, and a comma\"\n../secret.png,not ours\n");

        // When
        List<Pair> pairs = readFrom(PairSources.open(new LocalTree(inner), "image", "caption"), 0);

        // Then
        assertThat(pairs).extracting(Pair::caption).containsExactly("two\nlines, and a comma", "not ours");
        assertThat(pairs).extracting(Pair::image).containsExactly(new byte[] {1}, null);
    }

    @Test
    void shouldSayWhatAFolderHoldsWhenItIsNoDataSet() throws IOException {
        // Given
        Files.write(folder.resolve("a.png"), new byte[] {1});
        Files.write(folder.resolve("b.arrow"), new byte[] {1});

        // When, Then
        assertThatThrownBy(() -> PairSources.open(new LocalTree(folder), "image", "text"))
                .hasMessageContaining("no *.parquet files and no metadata.jsonl or metadata.csv")
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
