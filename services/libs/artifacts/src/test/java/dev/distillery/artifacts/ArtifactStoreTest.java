package dev.distillery.artifacts;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

import dev.distillery.embedded.EmbeddedS3;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class ArtifactStoreTest {

    @TempDir
    Path dir;

    private EmbeddedS3 s3;
    private ArtifactStore store;

    @BeforeEach
    void start() {
        s3 = EmbeddedS3.start(dir.resolve("s3"), 0);
        store = new ArtifactStore(new StoreConfig(
                s3.endpoint(),
                "us-east-1",
                "distillery",
                EmbeddedS3.ACCESS_KEY,
                EmbeddedS3.SECRET_KEY,
                Duration.ofSeconds(20)));
        store.ensureBucket();
    }

    @AfterEach
    void stop() {
        s3.close();
    }

    @Test
    void shouldCreateOnceAndReplaceOnlyWhatWasSeen() {
        // Given
        boolean first = store.createIfAbsent("a", new byte[] {1});
        boolean second = store.createIfAbsent("a", new byte[] {2});
        String etag = store.stat("a").orElseThrow().etag();

        // When
        Optional<String> seen = store.replaceIfMatch("a", new byte[] {3}, etag);
        Optional<String> stale = store.replaceIfMatch("a", new byte[] {4}, etag);

        // Then
        assertThat(first).isTrue();
        assertThat(second).isFalse();
        assertThat(seen).isPresent();
        assertThat(stale).isEmpty();
        assertThat(store.read("a")).containsExactly(3);
    }

    @Test
    void shouldKeepNothingWhenAStreamedUploadFails() {
        // When
        assertThatThrownBy(() -> store.putStream("big", out -> {
                    out.write(new byte[1000]);
                    throw new IOException("the source broke");
                }))
                .hasStackTraceContaining("the source broke");

        // Then
        assertThat(store.stat("big")).isEmpty();
    }

    @Test
    void shouldStoreMoreThanOnePartWhenLengthIsUnknown() {
        // Given
        byte[] block = new byte[1 << 20];

        // When
        Stored stored = store.putStream("big", out -> {
            for (int i = 0; i < 20; i++) {
                block[0] = (byte) i;
                out.write(block);
            }
        });

        // Then
        assertThat(stored.size()).isEqualTo(20L << 20);
        assertThat(store.read("big")[19 << 20]).isEqualTo((byte) 19);
    }

    @Test
    void shouldRefuseALocalCopyWhenAFileIsNotWhatTheManifestSays() {
        // Given
        PrefixWriter writer = new PrefixWriter(store, "p/");
        writer.add("x", new byte[] {1});
        writer.complete("test", Map.of("pairs", 1));
        store.put("p/x", new byte[] {2});
        LocalCopies copies = new LocalCopies(store, dir.resolve("copies"));

        // When
        assertThatThrownBy(() -> copies.of("p/"))
                // Then
                .isInstanceOf(ArtifactCorruptException.class)
                .hasMessageContaining("p/x");
    }

    @Test
    void shouldTakeAnIncompletePrefixForMissing() {
        // Given
        new PrefixWriter(store, "p/").add("x", new byte[] {1});
        LocalCopies copies = new LocalCopies(store, dir.resolve("copies"));

        // When
        assertThatThrownBy(() -> copies.of("p/"))
                // Then
                .isInstanceOf(ArtifactMissingException.class)
                .hasMessageContaining("p/");
        assertThat(Files.exists(dir.resolve("copies/p"))).isFalse();
    }

    @Test
    void shouldGiveALeaseToOneAndToAnotherOnlyWhenReleasedOrStale() throws Exception {
        // Given
        Lease one = Lease.acquire(store, "run", "one", Duration.ofMinutes(1)).orElseThrow();
        assertThat(Lease.acquire(store, "run", "two", Duration.ofMinutes(1))).isEmpty();

        // When the holder comes back under its own name, its older self has lost it
        Lease again = Lease.acquire(store, "run", "one", Duration.ofMinutes(1)).orElseThrow();

        // Then
        assertThatThrownBy(one::renew).isInstanceOf(LeaseLostException.class);
        again.release();
        Lease two = Lease.acquire(store, "run", "two", Duration.ofMillis(1)).orElseThrow();
        Thread.onSpinWait();
        while (Lease.acquire(store, "run", "three", Duration.ofMinutes(1)).isEmpty()) {
            Thread.onSpinWait(); // until two's millisecond is over
        }
        assertThatThrownBy(two::renew).isInstanceOf(LeaseLostException.class);
    }

    @Test
    void shouldRefuseWrongCredentialsAtOnce() {
        // Given
        var stranger = new ArtifactStore(
                new StoreConfig(s3.endpoint(), "us-east-1", "distillery", "nobody", "wrong", Duration.ofHours(1)));
        // Then
        assertThatThrownBy(() -> stranger.read("runs/x/request.json"))
                .isInstanceOf(StoreRefusedException.class)
                .hasMessageContaining("distillery.store.access-key");
    }

    @Test
    void shouldGoOnWhenTheStoreComesBack(@org.junit.jupiter.api.io.TempDir java.nio.file.Path other) throws Exception {
        // Given
        EmbeddedS3 first = EmbeddedS3.start(other, 0);
        int port = java.net.URI.create(first.endpoint()).getPort();
        var client = new ArtifactStore(new StoreConfig(
                first.endpoint(),
                "us-east-1",
                "distillery",
                EmbeddedS3.ACCESS_KEY,
                EmbeddedS3.SECRET_KEY,
                Duration.ofSeconds(30)));
        client.ensureBucket();
        first.close();
        // When
        var written = java.util.concurrent.CompletableFuture.supplyAsync(() -> client.put("a", new byte[] {1}));
        EmbeddedS3 second = EmbeddedS3.start(other, port);
        // Then
        try (second) {
            assertThat(written.get(30, java.util.concurrent.TimeUnit.SECONDS).size())
                    .isEqualTo(1);
        }
    }

    @org.junit.jupiter.params.ParameterizedTest
    @org.junit.jupiter.params.provider.ValueSource(strings = {"../other", "a/b", "", ".", "a b"})
    void shouldNotLetANameClimbOutOfItsPrefix(String run) {
        assertThatThrownBy(() -> Keys.run(run)).hasMessageContaining("'" + run + "'");
    }

    /** A proxy in front of the store that answers the first calls with its own error page. */
    @Test
    void shouldTryAgainWhenAProxyAnswersInsteadOfTheStore() throws Exception {
        // Given
        var calls = new java.util.concurrent.atomic.AtomicInteger();
        var proxy = com.sun.net.httpserver.HttpServer.create(new java.net.InetSocketAddress("127.0.0.1", 0), 0);
        proxy.createContext("/", exchange -> {
            boolean down = calls.incrementAndGet() <= 2;
            byte[] body = (down ? "<html>Bad Gateway</html>" : "hello").getBytes();
            exchange.getResponseHeaders().set("Content-Type", down ? "text/html" : "application/octet-stream");
            exchange.sendResponseHeaders(down ? 502 : 200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        proxy.start();
        try {
            var client = new ArtifactStore(new StoreConfig(
                    "http://127.0.0.1:" + proxy.getAddress().getPort(),
                    "us-east-1",
                    "distillery",
                    "a",
                    "b",
                    Duration.ofSeconds(20)));
            // When
            byte[] read = client.read("x");
            // Then
            assertThat(read).isEqualTo("hello".getBytes());
            assertThat(calls).hasValue(3);
        } finally {
            proxy.stop(0);
        }
    }

    @Test
    void shouldGiveOneCopyToManyWhoAskAtOnce(@org.junit.jupiter.api.io.TempDir java.nio.file.Path dir)
            throws Exception {
        // Given
        PrefixWriter writer = new PrefixWriter(store, "models/shared/");
        writer.add("a", new byte[1000]);
        writer.complete("model", java.util.Map.of());
        LocalCopies copies = new LocalCopies(store, dir);
        // When
        var folders = java.util.stream.IntStream.range(0, 4)
                .mapToObj(i -> java.util.concurrent.CompletableFuture.supplyAsync(() -> copies.of("models/shared/")))
                .toList();
        // Then
        for (var folder : folders) {
            assertThat(folder.get(30, java.util.concurrent.TimeUnit.SECONDS).resolve("a"))
                    .exists();
        }
        try (var left = java.nio.file.Files.list(dir)) {
            assertThat(left)
                    .extracting(java.nio.file.Path::getFileName)
                    .extracting(Object::toString)
                    .containsExactly("models");
        }
    }
}
