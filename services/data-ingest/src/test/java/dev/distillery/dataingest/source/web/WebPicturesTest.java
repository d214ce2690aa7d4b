package dev.distillery.dataingest.source.web;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class WebPicturesTest {
    private static final byte[] PICTURE = "a picture".getBytes();

    private final WebServer server = new WebServer();
    private final CountDownLatch end = new CountDownLatch(1);

    @AfterEach
    void stop() {
        end.countDown();
        server.close();
    }

    private static final WebPictures.Memory ENOUGH = new WebPictures.Memory() {
        @Override
        public void take(int bytes) {
            // there is enough
        }

        @Override
        public void release() {
            // likewise
        }
    };

    private byte[] get(String url, String... settings) throws IOException {
        return new WebPictures(server.client(settings)).get(url, ENOUGH);
    }

    private void assertProblem(WebProblem problem, String url, String... settings) {
        assertThatThrownBy(() -> get(url, settings))
                .isInstanceOfSatisfying(
                        WebException.class, e -> assertThat(e.problem()).as(url).isEqualTo(problem));
    }

    @Test
    void shouldBringAPictureOverRedirectsToOtherHosts() throws IOException {
        // Given
        server.at("/old", WebServer.status(301, "Location", server.url("two.test", "/newer")));
        server.at("/newer", WebServer.status(302, "Location", "/a b.png"));
        server.at("/a b.png", exchange -> {
            assertThat(exchange.getRequestHeaders().getFirst("User-Agent")).isEqualTo("Distillery data-ingest");
            assertThat(exchange.getRequestHeaders()).doesNotContainKeys("Cookie", "Authorization", "Referer");
            WebServer.bytes(PICTURE).answer(exchange);
        });

        // When
        byte[] picture = get(server.url("one.test", "/old"));

        // Then
        assertThat(picture).isEqualTo(PICTURE);
        assertThat(server.requests()).containsExactly("one.test/old", "two.test/newer", "two.test/a b.png");
    }

    @Test
    void shouldAskAgainWhenAFailureMayPass() throws IOException {
        // Given
        server.at("/busy", WebServer.inTurn(WebServer.status(503), WebServer.status(500), WebServer.bytes(PICTURE)));
        server.at("/cut", WebServer.inTurn(WebServer.cut(PICTURE, 1000), WebServer.bytes(PICTURE)));

        // When, Then
        assertThat(get(server.url("one.test", "/busy"))).isEqualTo(PICTURE);
        assertThat(get(server.url("one.test", "/cut"))).isEqualTo(PICTURE);
    }

    @Test
    void shouldLeaveAHostAloneForAsLongAsItAsks() throws IOException {
        // Given
        server.at("/a", WebServer.inTurn(WebServer.status(429, "Retry-After", "1"), WebServer.bytes(PICTURE)));
        server.at("/b", WebServer.status(429, "Retry-After", "3600"));

        // When
        long start = System.nanoTime();
        byte[] picture = get(server.url("one.test", "/a"));
        long milliseconds = (System.nanoTime() - start) / 1_000_000;

        // Then
        assertThat(picture).isEqualTo(PICTURE);
        assertThat(milliseconds).isGreaterThanOrEqualTo(1000);
        assertProblem(WebProblem.BUSY, server.url("one.test", "/b"));
        assertThat(server.requests()).containsOnlyOnce("one.test/b");
    }

    @ParameterizedTest
    @CsvSource({
        "401, REFUSED, 1",
        "403, REFUSED, 1",
        "404, NOT_FOUND, 1",
        "410, NOT_FOUND, 1",
        "418, REFUSED, 1",
        "429, BUSY, 3",
        "500, SERVER_ERROR, 3",
        "503, BUSY, 3"
    })
    void shouldTellWhyThereIsNone(int status, WebProblem problem, int requests) {
        // Given
        server.at("/x", WebServer.status(status));

        // When, Then
        assertProblem(problem, server.url("one.test", "/x"));
        assertThat(server.requests()).hasSize(requests);
    }

    @Test
    void shouldNotWaitForASlowHost() {
        // Given one that says nothing, one that stops, one that never stops to trickle
        server.at("/silent", exchange -> await());
        server.at("/stops", exchange -> {
            exchange.sendResponseHeaders(200, 100);
            exchange.getResponseBody().write(1);
            exchange.getResponseBody().flush();
            await();
        });
        server.at("/trickles", exchange -> {
            exchange.sendResponseHeaders(200, 0);
            try (OutputStream out = exchange.getResponseBody()) {
                while (end.getCount() > 0) {
                    out.write(1);
                    out.flush();
                    end.await(20, TimeUnit.MILLISECONDS);
                }
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        });

        // When, Then
        for (String path : new String[] {"/silent", "/stops", "/trickles"}) {
            String read = path.equals("/trickles") ? "10s" : "200ms";
            assertProblem(
                    WebProblem.TIMED_OUT,
                    server.url("one.test", path),
                    "read-timeout",
                    read,
                    "timeout",
                    "400ms",
                    "tries",
                    "1");
        }
    }

    private void await() throws IOException {
        try {
            end.await();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    @Test
    void shouldNotReadOnWhenAFileIsTooLarge() {
        // Given one that says it and one that does not and would never end
        server.at("/says", WebServer.cut(PICTURE, 1 << 30));
        server.at("/endless", exchange -> {
            exchange.sendResponseHeaders(200, 0);
            while (end.getCount() > 0) {
                exchange.getResponseBody().write(new byte[1 << 16]);
            }
        });

        // When, Then
        assertProblem(WebProblem.TOO_LARGE, server.url("one.test", "/says"), "max-image-size", "1M");
        assertProblem(WebProblem.TOO_LARGE, server.url("one.test", "/endless"), "max-image-size", "1M");
    }

    @Test
    void shouldHonourWhoKeepsPicturesOutOfTraining() throws IOException {
        // Given
        server.at("/noai", exchange -> {
            exchange.getResponseHeaders().add("X-Robots-Tag", "max-snippet, NoAI");
            WebServer.bytes(PICTURE).answer(exchange);
        });
        server.at("/otherbot", exchange -> {
            exchange.getResponseHeaders().add("X-Robots-Tag", "otherbot: noai");
            exchange.getResponseHeaders().add("X-Robots-Tag", "nofollow");
            WebServer.bytes(PICTURE).answer(exchange);
        });

        // When, Then
        assertProblem(WebProblem.OPTED_OUT, server.url("one.test", "/noai"));
        assertThat(get(server.url("one.test", "/otherbot"))).isEqualTo(PICTURE);
        assertThat(get(server.url("one.test", "/noai"), "opt-outs", "noindex")).isEqualTo(PICTURE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"concurrency", "connections-per-host", "tries"})
    void shouldRefuseToWorkWithNothing(String setting) {
        assertThatThrownBy(() -> server.client(setting, "0"))
                .hasMessage("distillery.sources." + setting + " must be at least 1 but is 0");
    }

    @Test
    void shouldTellHostsThatAreNotThere() throws IOException {
        // Given
        int closed;
        try (var socket = new ServerSocket(0)) {
            closed = socket.getLocalPort();
        }

        // When, Then
        var pictures = new WebPictures(new WebClient(WebServer.settings(), WebServer.names(), address -> true));
        assertThatThrownBy(() -> pictures.get("http://one.test:" + closed + "/", ENOUGH))
                .isInstanceOfSatisfying(
                        WebException.class, e -> assertThat(e.problem()).isEqualTo(WebProblem.UNREACHABLE));
        assertThatThrownBy(() -> pictures.get("http://one.gone/", ENOUGH))
                .isInstanceOfSatisfying(
                        WebException.class, e -> assertThat(e.problem()).isEqualTo(WebProblem.HOST_NOT_FOUND));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://127.0.0.1/",
                "http://10.0.0.1/",
                "http://169.254.169.254/latest/meta-data/",
                "http://0.0.0.0/",
                "http://100.64.0.1/",
                "http://[::1]/",
                "http://[::]/",
                "http://[fd00::1]/",
                "http://[fe80::1]/",
                "http://[::ffff:10.0.0.1]/",
                "http://[::ffff:7f00:1]/",
                "http://[64:ff9b::a00:1]/",
                "http://2130706433/",
                "http://127.1/",
                "http://0x7f.0.0.1/",
                "http://0x7f000001/",
                "http://017700000001/",
                "http://%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1/",
                "http://127.0.0.1./",
                "http://%31%32%37.0.0.1/",
                "http://localhost/",
                "http://localhost./",
                "http://server.inside/",
                "https://server.inside/",
                "http://one.test/",
                "http://one.test:22/",
                "http://1.1.1.1:6379/",
                "http://user@one.test/",
                "http://user:secret@one.test/"
            })
    void shouldNotAskWhatIsNotThePublicWeb(String url) {
        // Given
        server.at("/redirect", WebServer.status(302, "Location", url));

        // When, Then
        for (String way : new String[] {url, server.url("one.test", "/redirect")}) {
            assertThatThrownBy(() -> get(way)).isInstanceOfSatisfying(WebException.class, e -> assertThat(e.problem())
                    .isIn(WebProblem.NOT_ALLOWED, WebProblem.HOST_NOT_FOUND));
        }
        assertThat(server.requests()).containsExactly("one.test/redirect");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"ftp://one.test/a", "file:///etc/passwd", "data:image/png;base64,AA", "a.png", "", "http://"})
    void shouldTellWhatIsNoAddress(String url) {
        // Given
        server.at("/redirect", WebServer.status(302, "Location", url));

        // When, Then
        assertProblem(WebProblem.NO_ADDRESS, url);
        assertThatThrownBy(() -> get(server.url("one.test", "/redirect"))).isInstanceOf(WebException.class);
    }

    @Test
    void shouldNotTrustANameForItsAddressOfAMomentAgo() throws IOException {
        // Given a name that means the server first, and then another machine of this network
        var answers = new ArrayDeque<>(List.of("127.0.0.1", "127.0.0.2"));
        List<String> asked = new ArrayList<>();
        server.at("/x", exchange -> {
            exchange.getResponseHeaders().add("Connection", "close");
            WebServer.bytes(PICTURE).answer(exchange);
        });
        var pictures = new WebPictures(new WebClient(
                WebServer.settings(), name -> List.of(InetAddress.getByName(answers.remove())), address -> {
                    asked.add(address.getAddress().getHostAddress());
                    return asked.size() == 1;
                }));

        // When
        byte[] first = pictures.get(server.url("rebound.example", "/x"), ENOUGH);

        // Then
        assertThat(first).isEqualTo(PICTURE);
        assertThatThrownBy(() -> pictures.get(server.url("rebound.example", "/x"), ENOUGH))
                .isInstanceOfSatisfying(
                        WebException.class, e -> assertThat(e.problem()).isEqualTo(WebProblem.NOT_ALLOWED));
        assertThat(asked).containsExactly("127.0.0.1", "127.0.0.2");
    }
}
