package dev.distillery.dataingest.source;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.NoSuchFileException;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

import dev.distillery.hub.HubClient;
import dev.distillery.hub.HubServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class HubTreeTest {
    private static final int PART = 1000;
    private static final byte[] WEIGHTS = random(10_500);
    private static final byte[] CONFIG = "{\"a\": 1}".getBytes();

    private final HubServer server = new HubServer();

    @BeforeEach
    void fill() {
        Map<String, byte[]> files = new TreeMap<>();
        files.put("README.md", CONFIG);
        files.put(".gitattributes", CONFIG);
        files.put("unet/config.json", CONFIG);
        files.put("unet/a b+c.json", CONFIG);
        files.put("unet/weights.safetensors", WEIGHTS);
        files.put("vae/config.json", CONFIG);
        files.put("vae/empty.txt", new byte[0]);
        server.add("models/owner/name", files);
        server.add("datasets/owner/pairs", Map.of("data/train.parquet", WEIGHTS, "other/a.json", CONFIG));
        server.addPrivate("models/owner/private", Map.of("a.json", CONFIG));
        server.addGated("models/owner/gated");
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void shouldListEveryFileOfAllPagesWithItsSize() throws IOException {
        // When
        HubTree tree = open("hf://owner/name");
        // Then
        assertThat(tree.files())
                .extracting(FileTree.Entry::name)
                .containsExactly(
                        "README.md",
                        "unet/a b+c.json",
                        "unet/config.json",
                        "unet/weights.safetensors",
                        "vae/config.json",
                        "vae/empty.txt");
        assertThat(tree.files().get(3).size()).isEqualTo(WEIGHTS.length);
        assertThat(tree.digest("unet/weights.safetensors")).startsWith("sha256:");
        assertThat(tree.digest("unet/config.json"))
                .startsWith("git:")
                .isEqualTo(tree.digest("vae/config.json"))
                .isNotEqualTo(tree.digest("vae/empty.txt"));
    }

    @ParameterizedTest
    @CsvSource({"unet/a b+c.json", "unet/config.json", "vae/empty.txt", "unet/weights.safetensors"})
    void shouldReadEveryKindOfFileToTheBit(String name) throws IOException {
        // Given
        byte[] expected = name.endsWith("safetensors") ? WEIGHTS : name.endsWith("txt") ? new byte[0] : CONFIG;
        // When, then
        try (InputStream in = open("hf://owner/name").open(name)) {
            assertThat(in.readAllBytes()).isEqualTo(expected);
        }
    }

    @Test
    void shouldPinTheRevisionToItsCommitAndReadFromItOnly() throws IOException {
        // When
        HubTree tree = open("hf://datasets/owner/pairs@refs/pr/7/data");
        // Then
        assertThat(tree.pinnedUri()).isEqualTo("hf://datasets/owner/pairs@" + HubServer.COMMIT + "/data");
        assertThat(tree.files()).extracting(FileTree.Entry::name).containsExactly("train.parquet");
        try (FileTree.LocalFile local = tree.local("train.parquet")) {
            assertThat(local.path()).hasBinaryContent(WEIGHTS);
        }
    }

    @Test
    void shouldAskForPartsAtOnceAndKeepTheTokenFromTheStorage() throws IOException {
        // When
        HubTree tree = HubTree.open(server.client("hf_good"), "teacher.model", "hf://owner/name", PART);
        read(tree);
        // Then
        assertThat(server.storage().requests())
                .hasSize(11)
                .contains("bytes=0-999 null", "bytes=10000-10499 null")
                .allMatch(request -> request.endsWith(" null"));
    }

    @Test
    void shouldGoOnWhereADownloadBrokeOff() throws IOException {
        // Given
        HubTree tree = open("hf://owner/name");
        server.storage().cut(3);
        // When
        byte[] bytes = read(tree);
        // Then
        assertThat(bytes).isEqualTo(WEIGHTS);
        assertThat(server.storage().requests())
                .hasSize(11 + 3)
                .anyMatch(request -> request.matches("bytes=\\d+500-\\d+999 null"));
    }

    @ParameterizedTest
    @CsvSource({"429, 0", "429, ", "503, ", "500, "})
    void shouldAskAgainWhenTheHubIsBusy(int status, String retryAfter) throws IOException {
        // Given
        server.fail(status, retryAfter);
        server.fail(status, retryAfter);
        // When, then
        assertThat(read(open("hf://owner/name"))).isEqualTo(WEIGHTS);
    }

    @Test
    void shouldWaitAsLongAsTheHubAsks() throws IOException {
        // Given
        server.fail(429, "1");
        // When
        long started = System.nanoTime();
        open("hf://owner/name");
        // Then
        assertThat(System.nanoTime() - started).isGreaterThan(1_000_000_000L);
    }

    @Test
    void shouldRefuseContentThatIsNotWhatTheHubLists() throws IOException {
        // Given
        HubTree tree = open("hf://owner/name");
        server.storage().spoil();
        // When, then
        assertThatThrownBy(() -> read(tree))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("where the Hub lists");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "hf://owner/nothing|is not there, or is private and HF_TOKEN is not set",
                "hf://owner/private|is not there, or is private and HF_TOKEN is not set",
                "hf://owner/gated|is gated: accept its terms",
                "hf://owner/name@v9|has no such revision",
                "hf://owner/name/nowhere|has no files there",
                "hf://owner|must be hf://owner/name[@revision]",
                "hf://owner/name/../../x|without '..'",
                "hf://owner/na me|must be hf://owner/name[@revision]"
            })
    void shouldSayWhatIsWrongWithTheAddress(String uri, String expected) {
        assertThatThrownBy(() -> open(uri))
                .isInstanceOfSatisfying(
                        SourceException.class, e -> assertThat(e.field()).isEqualTo("teacher.model"))
                .hasMessageContaining(uri)
                .hasMessageContaining(expected);
    }

    @Test
    void shouldReadAPrivateRepositoryWithItsToken() throws IOException {
        // When
        HubTree tree = HubTree.open(server.client("hf_good"), "teacher.model", "hf://owner/private");
        // Then
        assertThat(tree.has("a.json")).isTrue();
        assertThatThrownBy(() -> HubTree.open(server.client("hf_bad"), "teacher.model", "hf://owner/private"))
                .hasMessageContaining("the token in HF_TOKEN may not see it");
    }

    @Test
    void shouldSayThatTheHubCannotBeReachedWhenItIsGone() {
        // Given
        HubClient client = server.client(null);
        server.close();
        // When, then
        assertThatThrownBy(() -> HubTree.open(client, "teacher.model", "hf://owner/name"))
                .isInstanceOf(IOException.class)
                .isNotInstanceOf(SourceException.class)
                .hasMessageContaining(server.endpoint() + " cannot be reached");
    }

    @Test
    void shouldNotKnowAFileThatIsNotListed() throws IOException {
        HubTree tree = open("hf://owner/name");
        assertThatThrownBy(() -> tree.open("unet/none")).isInstanceOf(NoSuchFileException.class);
    }

    private HubTree open(String uri) throws IOException {
        return HubTree.open(server.client(null), "teacher.model", uri, PART);
    }

    private static byte[] read(HubTree tree) throws IOException {
        try (InputStream in = tree.open("unet/weights.safetensors")) {
            return in.readAllBytes();
        }
    }

    private static byte[] random(int length) {
        byte[] bytes = new byte[length];
        new Random(1).nextBytes(bytes);
        return bytes;
    }
}
