package dev.distillery.dataingest.source.web;

import java.io.IOException;
import java.io.InputStream;

import org.jboss.logging.Logger;

/** A file's bytes in their order. What breaks off goes on where it was, as long as the host still has the same content. */
final class WebDownload extends InputStream {
    private static final Logger LOG = Logger.getLogger(WebDownload.class);
    private static final int MOST_BREAKS = 8; // without a byte between them

    private final WebClient client;
    private final WebClient.Ask ask;
    private final WebTree.Version version;
    private final long most;
    private WebAnswer answer;
    private InputStream body;
    private long position;
    private int breaks;

    /** @param most bytes; also of a file whose size is not told */
    WebDownload(WebClient client, WebClient.Ask ask, WebTree.Version version, long most) {
        this.client = client;
        this.ask = ask;
        this.version = version;
        this.most = most;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
        while (true) {
            if (position == version.bytes()) {
                return -1;
            }
            if (answer == null) {
                connect();
            }
            try {
                int n = body.read(target, offset, length);
                if (n >= 0) {
                    return took(n);
                }
                if (version.bytes() < 0) {
                    return -1;
                }
                throw new WebException(WebProblem.BROKE_OFF, "it ended early");
            } catch (UselessException e) {
                throw e;
            } catch (IOException e) {
                broke(e);
            }
        }
    }

    private int took(int n) throws UselessException {
        position += n;
        breaks = n > 0 ? 0 : breaks;
        if (position > most) {
            throw new UselessException(ask.url() + " has more bytes than distillery.sources.max-file-size");
        }
        if (version.bytes() >= 0 && position > version.bytes()) {
            throw changed();
        }
        return n;
    }

    private void broke(IOException e) throws IOException {
        close();
        WebException problem = WebClient.problem(e);
        if (++breaks > MOST_BREAKS) {
            throw new IOException(ask.url() + " broke off " + breaks + " times at byte " + position, problem);
        }
        LOG.infof("A download broke off, going on: url=%s byte=%d reason=%s", ask.url(), position, e.getMessage());
    }

    private void connect() throws IOException {
        var rest = new WebClient.Ask(ask.url(), position, ask.limit(), ask.encrypted());
        try {
            answer = client.trying(ask.url(), () -> client.open(rest));
        } catch (WebException e) {
            throw new IOException(ask.url() + ": " + e.problem().words() + ", " + e.getMessage(), e);
        }
        if (!version.isThatOf(answer)) {
            close();
            throw changed();
        }
        body = answer.body();
        if (answer.status() != 206) { // of a host that gives no parts
            try {
                body.skipNBytes(position);
            } catch (IOException e) {
                broke(e);
                connect();
            }
        }
    }

    private UselessException changed() {
        return new UselessException(ask.url() + " was changed while it was read; publish the same request again");
    }

    /** Going on would not help. */
    private static final class UselessException extends IOException {
        private static final long serialVersionUID = 1L;

        UselessException(String message) {
            super(message);
        }
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public void close() {
        if (answer != null) {
            answer.close();
            answer = null;
        }
    }
}
