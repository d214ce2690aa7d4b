package dev.distillery.dataingest.source.web;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Predicate;

import dev.distillery.dataingest.source.Pair;
import dev.distillery.dataingest.source.PairSource;
import dev.distillery.dataingest.source.web.ReadAhead.NoRoomException;

/** Pairs whose pictures stand on the web. They come in the list's order, downloaded several at once, ahead of their turn. */
public final class LinkedPairs implements PairSource {
    private final PairSource list;
    private final WebClient client;
    private final Predicate<String> wanted;

    private LinkedPairs(PairSource list, WebClient client, Predicate<String> wanted) {
        this.list = list;
        this.client = client;
        this.wanted = wanted;
    }

    /**
     * The same pairs with their pictures; as they are if they have them.
     *
     * @param wanted captions for which a picture is downloaded
     */
    public static PairSource of(PairSource pairs, WebClient client, Predicate<String> wanted) {
        return pairs.hasLinks() ? new LinkedPairs(pairs, client, wanted) : pairs;
    }

    @Override
    public long size() throws IOException {
        return list.size();
    }

    @Override
    public Cursor from(long position) throws IOException {
        return new Reading(list.from(position));
    }

    private final class Reading implements Cursor {
        private final WebPictures pictures = new WebPictures(client);
        private final int most = 8 * client.settings().concurrency();
        private final ReadAhead memory =
                new ReadAhead(client.settings().readAheadSize().asLongValue());
        private final ExecutorService threads =
                Executors.newFixedThreadPool(client.settings().concurrency(), download -> {
                    Thread thread = new Thread(download, "download");
                    thread.setDaemon(true);
                    return thread;
                });
        private final Cursor addresses;
        private final Deque<Ahead> row = new ArrayDeque<>();
        private final Outage outage = new Outage();
        private boolean ended;

        private record Ahead(Pair listed, Future<byte[]> picture, ReadAhead.Share share) {}

        Reading(Cursor addresses) {
            this.addresses = addresses;
        }

        @Override
        public Pair next() throws IOException {
            while (!ended && row.size() < most) {
                Pair pair = addresses.next();
                ended = pair == null;
                if (!ended) {
                    ReadAhead.Share share = memory.new Share();
                    row.add(new Ahead(pair, threads.submit(() -> picture(pair, share)), share));
                }
            }
            Ahead first = row.poll();
            if (first == null) {
                return null;
            }
            first.share.isFirst();
            try {
                byte[] picture = first.picture.get();
                if (picture == null) {
                    return first.listed;
                }
                outage.tell(first.listed.link(), null);
                return first.listed.with(picture);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted");
            } catch (ExecutionException e) {
                if (e.getCause() instanceof WebException web) {
                    outage.tell(first.listed.link(), web.problem());
                    return first.listed.unusable(web.problem().words(), web.getMessage());
                }
                throw new IOException(e.getCause().getMessage(), e.getCause());
            } finally {
                first.share.release();
            }
        }

        /** Null of a pair that has its own, or is left out anyway. */
        private byte[] picture(Pair pair, ReadAhead.Share share) throws IOException {
            if (pair.link() == null || pair.caption() == null || !wanted.test(pair.caption())) {
                return null;
            }
            while (true) {
                share.awaitRoom();
                try {
                    return pictures.get(pair.link(), share);
                } catch (NoRoomException e) {
                    share.release(); // and again when there is room
                } catch (WebException e) {
                    share.release();
                    throw e;
                }
            }
        }

        @Override
        public void close() throws IOException {
            threads.shutdownNow();
            addresses.close();
        }
    }
}
