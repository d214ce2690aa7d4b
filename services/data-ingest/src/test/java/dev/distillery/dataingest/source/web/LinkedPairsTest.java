package dev.distillery.dataingest.source.web;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

import dev.distillery.dataingest.source.Pair;
import dev.distillery.dataingest.source.PairSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class LinkedPairsTest {
    private final WebServer server = new WebServer();

    @AfterEach
    void stop() {
        server.close();
    }

    /** Pairs as a list has them, one to an address. */
    private record Addresses(List<Pair> pairs) implements PairSource {
        static Addresses of(List<String> urls) {
            return new Addresses(IntStream.range(0, urls.size())
                    .mapToObj(i -> new Pair("row " + i, null, urls.get(i), "caption " + i, null))
                    .toList());
        }

        @Override
        public boolean hasLinks() {
            return true;
        }

        @Override
        public long size() {
            return pairs.size();
        }

        @Override
        public Cursor from(long position) {
            var rest = pairs.subList((int) position, pairs.size()).iterator();
            return new Cursor() {
                @Override
                public Pair next() {
                    return rest.hasNext() ? rest.next() : null;
                }

                @Override
                public void close() {
                    // nothing is open
                }
            };
        }
    }

    private static PairSource linked(PairSource pairs, WebClient client) {
        return LinkedPairs.of(pairs, client, caption -> true);
    }

    private static List<Pair> read(PairSource source, long position) throws IOException {
        var pairs = new ArrayList<Pair>();
        try (PairSource.Cursor cursor = source.from(position)) {
            for (Pair pair = cursor.next(); pair != null; pair = cursor.next()) {
                pairs.add(pair);
            }
        }
        return pairs;
    }

    /** Of three hosts in turn, each after a time of its own; every seventh is not there. */
    private List<String> urls(int count) {
        var random = new Random(1);
        List<String> urls = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int milliseconds = random.nextInt(20);
            byte[] content = ("picture " + i).getBytes();
            if (i % 7 != 0) {
                server.at("/" + i, exchange -> {
                    sleep(milliseconds);
                    WebServer.bytes(content).answer(exchange);
                });
            }
            urls.add(server.url("host-" + i % 3 + ".test", "/" + i));
        }
        return urls;
    }

    /** A host's own slowness. */
    private static void sleep(int milliseconds) throws IOException {
        try {
            TimeUnit.MILLISECONDS.sleep(milliseconds);
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    @Test
    void shouldKeepTheOrderAndAskNoHostTooOften() throws IOException {
        // Given
        List<String> urls = urls(200);
        PairSource source = linked(Addresses.of(urls), server.client("connections-per-host", "3"));

        // When
        List<Pair> pairs = read(source, 0);

        // Then
        assertThat(pairs).hasSize(200);
        for (int i = 0; i < 200; i++) {
            Pair pair = pairs.get(i);
            assertThat(pair.where()).isEqualTo("row " + i);
            assertThat(pair.caption()).isEqualTo("caption " + i);
            if (i % 7 == 0) {
                assertThat(pair.problem().reason()).isEqualTo("not found");
            } else {
                assertThat(pair.image()).isEqualTo(("picture " + i).getBytes());
            }
        }
        assertThat(server.mostOpen())
                .containsOnlyKeys("host-0.test", "host-1.test", "host-2.test")
                .allSatisfy((host, most) -> assertThat(most).isLessThanOrEqualTo(3))
                .anySatisfy((host, most) -> assertThat(most).isGreaterThan(1));
        assertThat(read(source, 190)).extracting(Pair::where).first().isEqualTo("row 190");
    }

    @Test
    void shouldReadNoFurtherAheadThanMemoryAllows() throws Exception {
        // Given 60 pictures of 100 KB, room for 10 beside the first, which waits whether more than can be on their way
        // are asked for
        byte[] content = new byte[100_000];
        var tooMany = new CountDownLatch(10 + 8 + 1);
        var waited = new CompletableFuture<Boolean>();
        List<String> urls = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            boolean first = i == 0;
            server.at("/" + i, exchange -> {
                if (first) {
                    waited.complete(reached(tooMany));
                } else {
                    tooMany.countDown();
                }
                WebServer.bytes(content).answer(exchange);
            });
            urls.add(server.url("host-" + i + ".test", "/" + i));
        }
        WebClient client = server.client("read-ahead-size", "1M", "read-timeout", "20s", "concurrency", "8");

        // When
        List<Pair> pairs = read(linked(Addresses.of(urls), client), 0);

        // Then
        assertThat(waited.get()).isFalse();
        assertThat(pairs).hasSize(60).allSatisfy(p -> assertThat(p.image()).hasSize(100_000));
    }

    private static boolean reached(CountDownLatch latch) throws IOException {
        try {
            return latch.await(1, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    @Test
    void shouldBringAPictureLargerThanTheMemoryOfReadingAhead() throws IOException {
        // Given
        List<String> urls = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            server.at("/" + i, new byte[200_000 + i]);
            urls.add(server.url("one.test", "/" + i));
        }

        // When
        List<Pair> pairs = read(linked(Addresses.of(urls), server.client("read-ahead-size", "100K")), 0);

        // Then
        assertThat(pairs).extracting(p -> p.image().length).startsWith(200_000).endsWith(200_019);
    }

    @Test
    void shouldAskForNothingThatIsLeftOutAnyway() throws IOException {
        // Given
        server.at("/a", new byte[1]);
        var pairs = new Addresses(List.of(
                new Pair("no caption", null, server.url("one.test", "/a"), null, null),
                new Pair("no address", null, "images/1.png", "caption", null),
                new Pair("not there", null, null, "caption", null),
                new Pair("not wanted", null, server.url("one.test", "/a"), "a caption too many", null)));

        // When
        List<Pair> read = read(LinkedPairs.of(pairs, server.client(), "caption"::equals), 0);

        // Then
        assertThat(read).extracting(Pair::image).containsOnlyNulls();
        assertThat(read.get(1).problem().reason()).isEqualTo("no web address");
        assertThat(server.requests()).isEmpty();
    }

    @Test
    void shouldTellANetworkThatIsDownFromHostsThatAreGone() throws IOException {
        // Given lists of hosts that are gone: many of one, as many as a list may have, one more
        server.at("/a", new byte[1]);
        List<String> one =
                IntStream.range(0, 300).mapToObj(i -> "http://one.gone/" + i).toList();
        List<String> many = new ArrayList<>(IntStream.range(0, 199)
                .mapToObj(i -> "http://host-" + i + ".gone/")
                .toList());
        many.set(99, server.url("one.test", "/a"));
        List<String> tooMany = new ArrayList<>(many);
        tooMany.add("http://host-199.gone/");

        // When, Then
        assertThat(read(linked(Addresses.of(one), server.client()), 0))
                .hasSize(300)
                .allSatisfy(p -> assertThat(p.problem().reason()).isEqualTo("host not found"));
        assertThat(read(linked(Addresses.of(many), server.client()), 0)).hasSize(199);
        assertThatThrownBy(() -> read(linked(Addresses.of(tooMany), server.client()), 0))
                .hasMessageStartingWith("none of the last 100 hosts of the list was reached")
                .hasMessageEndingWith("(last: http://host-199.gone/)");
    }

    @Test
    void shouldFailWhenTheListItselfCannotBeReadOn() {
        // Given
        var broken = new PairSource() {
            @Override
            public boolean hasLinks() {
                return true;
            }

            @Override
            public long size() {
                return 1;
            }

            @Override
            public Cursor from(long position) {
                return new Cursor() {
                    @Override
                    public Pair next() throws IOException {
                        throw new IOException("the list broke off");
                    }

                    @Override
                    public void close() {
                        // nothing is open
                    }
                };
            }
        };

        // When, Then
        assertThatThrownBy(() -> read(linked(broken, server.client()), 0)).hasMessage("the list broke off");
    }
}
