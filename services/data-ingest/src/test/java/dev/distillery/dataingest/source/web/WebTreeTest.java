package dev.distillery.dataingest.source.web;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

import com.sun.net.httpserver.HttpExchange;
import dev.distillery.dataingest.source.FileTree;
import dev.distillery.dataingest.source.SourceException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class WebTreeTest {
    private final WebServer server = new WebServer();
    private final byte[] content = new byte[300_000];

    WebTreeTest() {
        new Random(1).nextBytes(content);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private WebTree open(String path, String... settings) throws IOException {
        return WebTree.open(server.client(settings), "dataset.source", server.url("one.test", path));
    }

    /** @param most bytes of an answer before it breaks off */
    private void answer(HttpExchange exchange, String etag, boolean parts, int most) throws IOException {
        String range = exchange.getRequestHeaders().getFirst("Range");
        int from = range == null || !parts ? 0 : Integer.parseInt(range.replaceAll("\\D", ""));
        if (etag != null) {
            exchange.getResponseHeaders().add("ETag", etag);
        }
        exchange.sendResponseHeaders(range == null || !parts ? 200 : 206, content.length - from);
        exchange.getResponseBody().write(content, from, Math.min(most, content.length - from));
    }

    @Test
    void shouldBeOneFileThatGoesOnWhereItBreaksOff() throws IOException {
        // Given
        server.at("/old", WebServer.status(302, "Location", server.url("two.test", "/sets/x.tar?key=1")));
        server.at("/sets/x.tar", exchange -> answer(exchange, "\"1\"", true, 100_000));
        server.at("/sets/y.tar", WebServer.status(302, "Location", server.url("two.test", "/sets/x.tar?key=1")));

        // When
        FileTree tree = open("/sets/y.tar?download=1");

        // Then
        assertThat(tree.files()).containsExactly(new FileTree.Entry("y.tar", content.length));
        assertThat(tree.uri()).endsWith("/sets/y.tar?download=1");
        try (InputStream in = tree.open("y.tar")) {
            assertThat(in.readAllBytes()).isEqualTo(content);
        }
        try (FileTree.LocalFile local = tree.local("y.tar")) {
            assertThat(local.path()).hasBinaryContent(content);
        }
        assertThatThrownBy(() -> tree.open("z.tar")).hasMessageContaining("no z.tar beside it");
    }

    @Test
    void shouldReadAHostThatGivesNoParts() throws IOException {
        // Given
        var answers = new AtomicInteger();
        server.at("/x.tar", exchange -> answer(exchange, null, false, answers.incrementAndGet() * 80_000));

        // When, Then
        try (InputStream in = open("/x.tar").open("x.tar")) {
            assertThat(in.readAllBytes()).isEqualTo(content);
        }
    }

    @Test
    void shouldNotMixTwoVersions() throws IOException {
        // Given
        var answers = new AtomicInteger();
        server.at(
                "/x.tar",
                exchange -> answer(exchange, answers.incrementAndGet() < 3 ? "\"1\"" : "\"2\"", true, 100_000));

        // When, Then
        try (InputStream in = open("/x.tar").open("x.tar")) {
            assertThatThrownBy(in::readAllBytes).hasMessageContaining("was changed while it was read");
        }
    }

    @Test
    void shouldNotReadOnIntoALongerVersion() throws IOException {
        // Given a host that gives no parts and tells no version
        var answers = new AtomicInteger();
        server.at("/x.tar", exchange -> {
            boolean first = answers.incrementAndGet() == 1;
            exchange.sendResponseHeaders(200, first ? content.length : content.length + 1);
            exchange.getResponseBody().write(content);
            if (!first) {
                exchange.getResponseBody().write(1);
            }
        });

        // When, Then
        try (InputStream in = open("/x.tar").open("x.tar")) {
            assertThatThrownBy(in::readAllBytes).hasMessageContaining("was changed while it was read");
        }
    }

    @Test
    void shouldHaveAnotherDigestWhenTheContentIsAnother() throws IOException {
        // Given
        server.at("/tagged.tar", exchange -> answer(exchange, "\"1\"", true, content.length));
        server.at("/untagged.tar", exchange -> answer(exchange, null, true, content.length));
        String tagged = open("/tagged.tar").digest("tagged.tar");
        String untagged = open("/untagged.tar").digest("untagged.tar");

        // When
        server.at("/tagged.tar", exchange -> answer(exchange, "\"2\"", true, content.length));
        content[150_000] ^= 1;

        // Then
        assertThat(open("/tagged.tar").digest("tagged.tar"))
                .isNotEqualTo(tagged)
                .isEqualTo(open("/tagged.tar").digest("tagged.tar"));
        assertThat(open("/untagged.tar").digest("untagged.tar")).isNotEqualTo(untagged);
    }

    @Test
    void shouldSayWhatIsWrongWithAnAddress() {
        // Given
        server.at("/large.tar", exchange -> answer(exchange, null, true, 10));
        server.at("/inside.tar", WebServer.status(302, "Location", "http://server.inside/x.tar"));

        // When, Then
        assertWrong("/none.csv", "/none.csv: not found, HTTP 404 of one.test");
        assertWrong("/page.html", "must be a file that ends with .parquet, .csv, .tsv, .jsonl or .tar");
        assertWrong("/", "must be a file that ends with .parquet");
        assertWrong(
                "/large.tar", "has 300000 bytes, more than distillery.sources.max-file-size", "max-file-size", "1K");
        assertWrong("/x.tar", "must begin with https://", "plain-http", "false");
        assertWrong("/inside.tar", "address not allowed, 10.0.0.1:80 is not of the public web");
        assertThat(server.requests()).doesNotContain("one.test/x.tar");
    }

    private void assertWrong(String path, String message, String... settings) {
        assertThatThrownBy(() -> open(path, settings))
                .isInstanceOfSatisfying(
                        SourceException.class, e -> assertThat(e.field()).isEqualTo("dataset.source"))
                .hasMessageContaining(message);
    }

    @Test
    void shouldNotReadMoreThanAllowedWhenTheSizeIsNotTold() throws IOException {
        // Given
        server.at("/x.tar", exchange -> {
            exchange.sendResponseHeaders(200, 0);
            exchange.getResponseBody().write(content);
        });

        // When, Then
        try (InputStream in = open("/x.tar", "max-file-size", "100K").open("x.tar")) {
            assertThatThrownBy(in::readAllBytes)
                    .hasMessageContaining("more bytes than distillery.sources.max-file-size");
        }
        try (InputStream in = open("/x.tar").open("x.tar")) {
            assertThat(Arrays.equals(in.readAllBytes(), content)).isTrue();
        }
    }
}
