package dev.distillery.hub;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;

import dev.distillery.hub.HubUpload.Result;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class HubUploadTest {
    private static final String NAME = "models/owner/small";
    private static final HubAddress ADDRESS = HubAddress.of("hf://owner/small");
    private static final byte[] WEIGHTS = new byte[10_500];

    @TempDir
    Path folder;

    private final HubServer server = new HubServer();
    private final Map<String, byte[]> files = new TreeMap<>();
    private final AtomicLong sent = new AtomicLong();

    @BeforeEach
    void fill() throws IOException {
        new Random(1).nextBytes(WEIGHTS);
        write("README.md", "# a card".getBytes());
        write("unet/config.json", "{\"a\": 1}".getBytes());
        write("unet/a b+ä.json", "{}".getBytes());
        write("unet/weights.safetensors", WEIGHTS);
        write("ema/weights.safetensors", WEIGHTS);
        write("images/1.png", new byte[] {1, 0, 2});
        write("empty.txt", new byte[0]);
        write("empty.safetensors", new byte[0]);
        server.add(NAME, Map.of("kept.txt", new byte[] {65}));
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {1000, 10_500, 5 << 20})
    void shouldPutEveryFileThereInOneCommitAndKeepTheTokenFromTheStorage(int partBytes) throws IOException {
        // Given
        server.partBytes(partBytes);

        // When
        Result result = push("hf_good");

        // Then
        assertThat(server.files(NAME, "main")).containsAllEntriesOf(files).containsKey("kept.txt");
        assertThat(result.commit().toString()).startsWith(server.endpoint() + "/owner/small/commit/0000");
        assertThat(result.sent()).isEqualTo(files.size());
        assertThat(server.requests()).filteredOn(r -> r.contains("/commit/")).hasSize(1);
        assertThat(server.requests())
                .filteredOn(r -> r.endsWith("objects/batch"))
                .hasSize(2);
        assertThat(server.requests())
                .filteredOn(r -> r.endsWith("objects/verify"))
                .hasSize(2);
        int parts = partBytes == 1000 ? 11 : 1; // two files are one object
        assertThat(server.storage().requests()).hasSize(parts + 1).allMatch(request -> request.equals("PUT null"));
        assertThat(sent).hasValue(8 + 8 + 2 + WEIGHTS.length + 3);
    }

    @Test
    void shouldReadBackWhatWasPut() throws IOException {
        // Given
        push("hf_good");

        // When
        HubRepository repository = HubRepository.open(server.client(null), ADDRESS, 1000);

        // Then
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
            try (InputStream in = repository.open(file.getKey())) {
                assertThat(in.readAllBytes()).isEqualTo(file.getValue());
            }
        }
    }

    @Test
    void shouldSendWhatIsNewOnly() throws IOException {
        // Given
        push("hf_good");
        write("unet/config.json", "{\"a\": 2}".getBytes());
        int before = server.storage().requests().size();

        // When
        Result result = push("hf_good");

        // Then
        assertThat(result.sent()).isEqualTo(1);
        assertThat(result.bytes()).isEqualTo(8);
        assertThat(result.there()).isEqualTo(files.size() - 1);
        assertThat(server.storage().requests()).hasSize(before);
        assertThat(server.files(NAME, "main")).containsAllEntriesOf(files);
    }

    @Test
    void shouldMakeNoCommitOfNothing() throws IOException {
        // Given
        push("hf_good");

        // When
        Result result = push("hf_good");

        // Then
        assertThat(result.sent()).isZero();
        assertThat(server.requests()).filteredOn(r -> r.contains("/commit/")).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"preupload", "objects/batch", "/upload/", "complete_multipart", "verify", "commit"})
    void shouldTryAgainWhateverIsBusy(String path) throws IOException {
        // Given
        server.partBytes(1000);
        server.fail(path, 503, null);
        server.fail(path, 429, "0");

        // When
        push("hf_good");

        // Then
        assertThat(server.files(NAME, "main")).containsAllEntriesOf(files);
    }

    @Test
    void shouldWaitAsLongAsTheHubAsks() throws IOException {
        // Given
        server.fail("commit", 429, "1");
        long started = System.nanoTime();

        // When
        push("hf_good");

        // Then
        assertThat(System.nanoTime() - started).isGreaterThan(1_000_000_000L);
    }

    @Test
    void shouldSendAgainWhatBrokeOff() throws IOException {
        // Given
        server.partBytes(1000);
        server.storage().cut(3);

        // When
        push("hf_good");

        // Then
        assertThat(server.files(NAME, "main")).containsAllEntriesOf(files);
        assertThat(server.storage().requests()).hasSize(12 + 3);
    }

    @Test
    void shouldLeaveTheRepositoryAsItWasWhenAFileCannotBeSentAndSendTheRestTheNextTime() throws IOException {
        // Given
        server.fail("/upload/" + HubReading.sha256(WEIGHTS), 403, null);

        // When
        assertThatThrownBy(() -> push("hf_good"))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("localhost, which answers HTTP 403");

        // Then
        assertThat(server.files(NAME, "main")).containsOnlyKeys("kept.txt");
        push("hf_good");
        assertThat(server.files(NAME, "main")).containsAllEntriesOf(files);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                "hf_read|-|0|it needs the role 'write', and an account that may write there (it says: You don't have the rights",
                "hf_bad|-|0|HF_TOKEN is not a token that",
                "hf_good|commit|409|is being changed by somebody else; nothing was changed",
                "hf_good|commit|413|takes no file or request of this size",
                "hf_good|preupload|413|takes no file or request of this size",
                "hf_good|commit|400|answers HTTP 400 for /api/models/owner/small/commit/main",
                "hf_good|preupload|404|is not there, or is private and the token in HF_TOKEN may not see it"
            })
    void shouldSayWhyTheHubDoesNotTakeIt(String token, String path, int status, String expected) {
        if (path != null) {
            server.fail(path, status, null);
        }
        assertThatThrownBy(() -> push(token)).isInstanceOf(HubException.class).hasMessageContaining(expected);
        assertThat(server.files(NAME, "main")).containsOnlyKeys("kept.txt");
    }

    @ParameterizedTest
    @CsvSource({"weights.safetensors, true", "weights.safetensors, false", "README.md, true"})
    void shouldSayWhichFileCannotBeReadRatherThanThatTheHubCannotBeReached(String file, boolean atOnce)
            throws IOException {
        // Given
        write("README.md", "long ".repeat(200).getBytes());
        server.partBytes(1000);
        UploadFiles broken = new UploadFiles() {
            private final LocalFolder there = new LocalFolder(folder);

            @Override
            public List<Entry> files() throws IOException {
                return there.files();
            }

            @Override
            public InputStream open(String name, long from, long length) throws IOException {
                InputStream in = there.open(name, from, length);
                if (!name.endsWith(file) || from + length <= 512) {
                    return in;
                }
                if (atOnce) {
                    throw new IOException(name + " is gone");
                }
                return new SequenceInputStream(new ByteArrayInputStream(in.readNBytes(100)), new InputStream() {
                    @Override
                    public int read() throws IOException {
                        throw new IOException(name + " is gone");
                    }
                });
            }

            @Override
            public String sha256(String name) throws IOException {
                return there.sha256(name);
            }
        };
        HubClient client = server.client("hf_good", Duration.ofSeconds(2));

        // When, then
        assertThatThrownBy(() -> new HubUpload(client, ADDRESS, broken, (name, bytes) -> {}).push("x"))
                .hasMessageEndingWith(file + " is gone");
        assertThat(server.files(NAME, "main")).containsOnlyKeys("kept.txt");
    }

    private Result push(String token) throws IOException {
        sent.set(0);
        return new HubUpload(
                        server.client(token), ADDRESS, new LocalFolder(folder), (name, bytes) -> sent.addAndGet(bytes))
                .push("a message");
    }

    private void write(String name, byte[] content) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.write(file, content);
        files.put(name, content);
        Files.createDirectories(folder.resolve(".git"));
        Files.writeString(folder.resolve(".git/config"), "not for anybody");
    }
}
