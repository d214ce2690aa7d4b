package dev.distillery.hub;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.URI;
import java.security.MessageDigest;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HexFormat;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import org.jboss.logging.Logger;

/**
 * A file's bytes in their order, fetched in parts ahead of the reader, several at once: bounded memory for a file of any
 * size. A part that breaks off goes on where it was; the end is reached only if the whole has the Hub's digest.
 */
final class HubDownload extends InputStream {
    /** What is in memory at most: so many parts. */
    private static final int PARALLEL = 4;

    private static final Logger LOG = Logger.getLogger(HubDownload.class);
    private static final int MOST_BREAKS = 8;
    private static final int LONGEST_PART_MINUTES = 15; // longer than the client's patience

    private final HubClient client;
    private final URI uri;
    private final HubFile file;
    private final int partBytes;
    private final ExecutorService threads;
    private final Deque<Future<byte[]>> ahead = new ArrayDeque<>();
    private final MessageDigest digest;
    private long asked;
    private long delivered;
    private byte[] part = {};
    private int at;

    HubDownload(HubClient client, URI uri, HubFile file, int partBytes) {
        this.client = client;
        this.uri = uri;
        this.file = file;
        this.partBytes = partBytes;
        digest = file.sha256() != null ? Digests.sha256() : Digests.git(file.size());
        int parts = (int) Math.min(PARALLEL, (file.size() + partBytes - 1) / partBytes);
        threads = Executors.newFixedThreadPool(Math.max(1, parts), task -> {
            Thread thread = new Thread(task, "hub-download");
            thread.setDaemon(true);
            return thread;
        });
        askAhead();
    }

    private void askAhead() {
        while (ahead.size() < PARALLEL && asked < file.size()) {
            long from = asked;
            asked = Math.min(file.size(), from + partBytes);
            long to = asked;
            ahead.add(threads.submit(() -> part(client, uri, file, from, to)));
        }
    }

    /** The bytes from {@code from} up to {@code to}, which is not among them, not checked against a digest. */
    static byte[] part(HubClient client, URI uri, HubFile file, long from, long to) throws IOException {
        byte[] bytes = new byte[Math.toIntExact(to - from)];
        int have = 0;
        for (int breaks = 0; have < bytes.length; breaks++) {
            if (breaks > MOST_BREAKS) {
                throw new IOException(file.name() + " broke off " + breaks + " times at byte " + (from + have));
            }
            try (InputStream in = client.bytes(uri, from + have, to)) {
                int n = in.read(bytes, have, bytes.length - have);
                while (n > 0) {
                    have += n;
                    n = in.read(bytes, have, bytes.length - have);
                }
            } catch (HubException e) {
                throw e;
            } catch (IOException e) {
                LOG.infof("A download broke off, going on: file=%s byte=%d reason=%s", file.name(), from + have, e);
            }
        }
        return bytes;
    }

    /** Reads up to the end of a part; at the end of the file, checks it. */
    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        if (at == part.length && !nextPart()) {
            return -1;
        }
        int n = Math.min(length, part.length - at);
        System.arraycopy(part, at, target, offset, n);
        at += n;
        return n;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    private boolean nextPart() throws IOException {
        if (ahead.isEmpty()) {
            return false;
        }
        try {
            part = ahead.remove().get(LONGEST_PART_MINUTES, TimeUnit.MINUTES);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        } catch (TimeoutException e) {
            throw new IOException(uri + " stands still at byte " + delivered);
        } catch (ExecutionException e) {
            throw new IOException(uri + " " + e.getCause().getMessage(), e.getCause());
        }
        at = 0;
        digest.update(part);
        delivered += part.length;
        askAhead();
        if (delivered == file.size()) {
            check();
        }
        return true;
    }

    private void check() throws IOException {
        String expected = file.sha256() != null ? file.sha256() : file.gitOid();
        String actual = HexFormat.of().formatHex(digest.digest());
        if (!actual.equals(expected)) {
            throw new IOException(uri + " has the digest " + actual + " where the Hub lists " + expected);
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
