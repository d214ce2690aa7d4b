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
import java.util.Map;
import java.util.TreeMap;

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
        PairSource source = PairSources.open(new LocalTree(NOTO_EMOJI), "image", Captions.of("text"));

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
    void shouldReadAllPicturesOfASubjectWithItsPromptAndRefuseTooFewOrTooMany(@TempDir Path folder) throws IOException {
        // Given
        for (int i = 0; i < 2; i++) {
            Files.write(folder.resolve(i + ".png"), new byte[] {1});
        }
        assertThatThrownBy(() -> PairSources.subject(new LocalTree(folder), "sks flask"))
                .isInstanceOfSatisfying(
                        SourceException.class, e -> assertThat(e.field()).isEqualTo("subject.images"))
                .hasMessageContaining("3 to 30 pictures, but " + new LocalTree(folder).uri() + " has 2");
        Files.write(folder.resolve("2.jpg"), new byte[] {2});
        Files.writeString(folder.resolve("2.txt"), "not asked for");

        // When
        List<Pair> pairs = readFrom(PairSources.subject(new LocalTree(folder), "sks flask"), 0);

        // Then
        assertThat(pairs).extracting(Pair::where).containsExactly("0.png", "1.png", "2.jpg");
        assertThat(pairs).extracting(Pair::caption).containsOnly("sks flask");
        for (int i = 3; i < 31; i++) {
            Files.write(folder.resolve(i + ".png"), new byte[] {1});
        }
        assertThatThrownBy(() -> PairSources.subject(new LocalTree(folder), "sks flask"))
                .hasMessageContaining("has 31; of more, objective finetune learns");
    }

    @Test
    void shouldGoOnWhereItWasLeft() throws IOException {
        // Given
        PairSource source = PairSources.open(new LocalTree(NOTO_EMOJI), "image", Captions.of("text"));
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
        assertThatThrownBy(() -> PairSources.open(tree, "image", Captions.of("caption")))
                .isInstanceOfSatisfying(
                        SourceException.class, e -> assertThat(e.field()).isEqualTo("dataset.caption"))
                .hasMessageContaining("no column 'caption'; it has image, text");
        assertThatThrownBy(() -> PairSources.open(tree, "text", Captions.of("text")))
                .isInstanceOfSatisfying(
                        SourceException.class, e -> assertThat(e.field()).isEqualTo("dataset.image"))
                .hasMessageContaining(
                        "column 'text' of data/train-00000-of-00004.parquet has neither images nor their web addresses");
    }

    @Test
    void shouldReadPlainBytesAndTheTrainSplitOnly() throws Exception {
        // Given
        parquet("train.parquet", "SELECT 'ab'::BLOB AS \"my image\", 'one' AS \"it's text\"");
        parquet("test.parquet", "SELECT 'cd'::BLOB AS \"my image\", 'two' AS \"it's text\"");

        // When
        List<Pair> pairs = readFrom(PairSources.open(new LocalTree(folder), "my image", Captions.of("it's text")), 0);

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
        PairSource source = PairSources.open(new LocalTree(folder), "image", Captions.of("text"));

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
        List<Pair> pairs = readFrom(PairSources.open(new LocalTree(inner), "image", Captions.of("caption")), 0);

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
        PairSource source = PairSources.open(new LocalTree(folder), "image", Captions.of("text"));

        // Then
        assertThat(source.size()).isEqualTo(4);
        assertThat(readFrom(source, 0)).extracting(Pair::caption).containsExactly("a dog", "a cat", null, "by text");
        assertThat(readFrom(source, 1).get(0).where()).isEqualTo("10_dog/b.JPG");
    }

    @Test
    void shouldReadArchivesOfWebDatasetAndGoOnBehindABrokenOne() throws Exception {
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
        parquet("00002.parquet", "SELECT 'http://x/7.jpg' AS url, 'what img2dataset tells of it' AS caption");

        // When
        PairSource source = PairSources.open(new LocalTree(folder), "image", Captions.of("text"));
        List<Pair> pairs = readFrom(source, 0);

        // Then
        assertThat(where(pairs))
                .hasSize(7)
                .startsWith("00000.tar 000", "00000.tar 001", "00000.tar x/002", "00001.tar 000")
                .endsWith("00002.tar 000", "00002.tar 001");
        assertThat(pairs.get(4).where()).isEqualTo("00001.tar");
        assertThat(pairs)
                .extracting(Pair::caption)
                .containsExactly("a dog", "a cat", "in a folder", "good", null, "no image", null);
        assertThat(pairs.get(4).problem().reason()).isEqualTo("broken archive");
        assertThat(pairs.get(0).image()).isEqualTo("1".getBytes());
        assertThat(source.size()).isEqualTo(7);
        assertThat(readFrom(source, 2))
                .extracting(Pair::where)
                .isEqualTo(where(pairs).subList(2, 7));
        assertThat(readFrom(PairSources.open(new LocalTree(folder), "image", Captions.of("title")), 1)
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
    void shouldChooseAmongColumnsOfCaptionsByWeightAndAlwaysAlike() throws Exception {
        // Given
        parquet(
                "a.parquet",
                "SELECT 'x'::BLOB AS image, CASE WHEN i <> 7 THEN 'long ' || i END AS long,"
                        + " CASE WHEN i <> 7 THEN 'short ' || i END AS short,"
                        + " CASE WHEN i = 7 THEN 'only ' || i END AS rare FROM range(2000) r(i)");
        var captions = new Captions(new TreeMap<>(Map.of("long", 3.0, "short", 1.0, "rare", 0.5)));
        PairSource source = PairSources.open(new LocalTree(folder), "image", captions);

        // When
        List<String> chosen = readFrom(source, 0).stream().map(Pair::caption).toList();

        // Then
        assertThat(chosen.stream().filter(c -> c.startsWith("long")).count()).isBetween(1440L, 1560L);
        assertThat(chosen).hasSize(2000).element(7).isEqualTo("only 7");
        assertThat(readFrom(source, 1500).stream().map(Pair::caption)).isEqualTo(chosen.subList(1500, 2000));
    }

    @Test
    void shouldLoseNoMoreThanTheRowsOfABrokenParquetFile() throws Exception {
        // Given three files of 3 rows, of which one is no parquet and one breaks behind its footer
        for (String file : List.of("a", "b", "c")) {
            parquet(file + ".parquet", "SELECT 'x'::BLOB AS image, '" + file + "' || i AS text FROM range(3) r(i)");
        }
        parquet(
                "d.parquet",
                "SELECT 'x'::BLOB AS image, 'd' || repeat(md5(i::VARCHAR), 900) || random() AS text FROM range(3) r(i)");
        Files.writeString(folder.resolve("b.parquet"), "<html>");
        byte[] torn = Files.readAllBytes(folder.resolve("d.parquet"));
        Arrays.fill(torn, 4, torn.length / 2, (byte) 0xff);
        Files.write(folder.resolve("d.parquet"), torn);
        PairSource source = PairSources.open(new LocalTree(folder), "image", Captions.of("text"));

        // When
        List<Pair> all = readFrom(source, 0);

        // Then
        assertThat(all)
                .extracting(pair ->
                        pair.problem() == null ? pair.caption() : pair.problem().reason())
                .containsExactly(
                        "a0", "a1", "a2", "broken file", "c0", "c1", "c2", "broken file", "broken file", "broken file");
        assertThat(all.get(7).where()).isEqualTo("d.parquet row 0");
        assertThat(all.get(7).problem().detail()).isNotBlank();
        for (int position : List.of(2, 3, 4, 8)) {
            assertThat(readFrom(source, position))
                    .extracting(Pair::where)
                    .isEqualTo(all.stream().skip(position).map(Pair::where).toList());
        }
    }

    @Test
    void shouldReadListsOfImagesOnTheWeb() throws Exception {
        // Given LAION's columns in each kind of file, as pandas and spreadsheets write them
        Files.writeString(
                folder.resolve("a.csv"),
                "\uFEFF,URL,TEXT\n0,https://a/1.jpg,\"one, \"\"quoted\"\"\"\n1,,no address\n2, http://a/2.jpg ,a \"stray\n");
        Files.writeString(folder.resolve("b.tsv"), "\uFEFFTEXT\tURL\nthree\thttps://a/3.jpg\n\thttps://a/4.jpg\n");
        Files.writeString(
                folder.resolve("c.jsonl"),
                "{\"URL\": \"https://a/5.jpg\", \"TEXT\": \"five\"}\n<html>\n{\"URL\": 6, \"TEXT\": \"six\"}\n"
                        + "{\"URL\": \"ftp://a/7.jpg\", \"TEXT\": \"seven\"}\n");

        // When
        PairSource source = PairSources.open(new LocalTree(folder), "URL", Captions.of("TEXT"));
        List<Pair> pairs = readFrom(source, 0);

        // Then
        assertThat(source.hasLinks()).isTrue();
        assertThat(source.size()).isEqualTo(9);
        assertThat(pairs)
                .extracting(Pair::link)
                .containsExactly(
                        "https://a/1.jpg",
                        null,
                        "http://a/2.jpg",
                        "https://a/3.jpg",
                        "https://a/4.jpg",
                        "https://a/5.jpg",
                        null,
                        null,
                        "ftp://a/7.jpg");
        assertThat(pairs)
                .extracting(pair -> pair.problem() == null ? pair.caption() : pair.problem())
                .containsExactly(
                        "one, \"quoted\"",
                        "no address",
                        "a \"stray",
                        "three",
                        null,
                        "five",
                        new Pair.Problem("broken row", "c.jsonl line 2 is no JSON object: <html>"),
                        "six",
                        "seven");
        assertThat(pairs.get(2).where()).isEqualTo("a.csv row 2 (http://a/2.jpg)");
        for (int position : List.of(1, 3, 4, 7, 9)) {
            assertThat(readFrom(source, position))
                    .isEqualTo(pairs.stream().skip(position).toList());
        }
    }

    @Test
    void shouldReadWebAddressesInParquetAndInMetadata() throws Exception {
        // Given
        Path parquet = Files.createDirectories(folder.resolve("laion"));
        parquet(
                "laion/part-00000.parquet",
                "SELECT 'https://a/' || i || '.jpg' AS URL, 'no ' || i AS TEXT FROM range(3) r(i)");
        Path images = Files.createDirectories(folder.resolve("images"));
        Files.write(images.resolve("a.png"), new byte[] {1});
        Files.writeString(images.resolve("metadata.csv"), "file_name,text\na.png,here\nhttps://a/b.png,there\n");

        // When
        PairSource laion = PairSources.open(new LocalTree(parquet), "URL", Captions.of("TEXT"));
        PairSource folder = PairSources.open(new LocalTree(images), "image", Captions.of("text"));

        // Then
        assertThat(laion.hasLinks()).isTrue();
        assertThat(readFrom(laion, 1))
                .containsExactly(
                        Pair.linked("part-00000.parquet row 1 (https://a/1.jpg)", "https://a/1.jpg", "no 1"),
                        Pair.linked("part-00000.parquet row 2 (https://a/2.jpg)", "https://a/2.jpg", "no 2"));
        assertThat(folder.hasLinks()).isTrue();
        assertThat(readFrom(folder, 0)).extracting(Pair::link).containsExactly(null, "https://a/b.png");
        assertThat(readFrom(folder, 0).get(0).image()).containsExactly(1);
    }

    @Test
    void shouldNotTakeAnyTableForAListOfImages() throws IOException {
        // Given a list whose other column was meant, one without a header, one that is empty, one with a row of 20 MB
        Path list = Files.createDirectories(folder.resolve("list"));
        Files.writeString(list.resolve("a.csv"), "url,text\nhttps://a/1.jpg,one\n");
        Path headless = Files.createDirectories(folder.resolve("headless"));
        Files.writeString(headless.resolve("a.tsv"), "a dog\thttps://a/1.jpg\na cat\thttps://a/2.jpg\n");
        Path empty = Files.createDirectories(folder.resolve("empty"));
        Files.writeString(empty.resolve("a.csv"), "");
        Path endless = Files.createDirectories(folder.resolve("endless"));
        Files.writeString(endless.resolve("a.jsonl"), "{\"url\": \"" + "x".repeat(20 << 20) + "\"}");

        // When, Then
        assertNoList(list, "text", "column 'text' of a.csv has neither images nor their web addresses, but one");
        assertNoList(list, "link", "a.csv has no field 'link'; it has url, text");
        assertNoList(headless, "url", "a.tsv has no field 'url'; it has a dog, https://a/1.jpg");
        assertNoList(empty, "url", "a.csv has no field 'url'");
        assertNoList(endless, "url", "a.jsonl has a row of more than 16777216 characters");
    }

    private static void assertNoList(Path folder, String image, String message) throws IOException {
        var tree = new LocalTree(folder);
        assertThatThrownBy(() -> PairSources.open(tree, image, Captions.of("text")))
                .isInstanceOf(SourceException.class)
                .hasMessageContaining(message);
    }

    @Test
    void shouldSayWhatAFolderHoldsWhenItIsNoDataSet() throws IOException {
        // Given
        Files.write(folder.resolve("a.png"), new byte[] {1});
        Files.write(folder.resolve("b.arrow"), new byte[] {1});

        // When, Then
        assertThatThrownBy(() -> PairSources.open(new LocalTree(folder), "image", Captions.of("text")))
                .hasMessageContaining("no *.parquet files, no metadata.jsonl or metadata.csv, no *.tar files")
                .hasMessageContaining("it holds a.png, b.arrow");
        Files.writeString(folder.resolve("broken.parquet"), "<html>");
        assertThatThrownBy(() -> PairSources.open(new LocalTree(folder), "image", Captions.of("text")))
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
