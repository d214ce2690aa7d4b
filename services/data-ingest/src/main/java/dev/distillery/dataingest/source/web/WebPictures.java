package dev.distillery.dataingest.source.web;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.Arrays;
import java.util.Locale;

import okhttp3.HttpUrl;

/** Pictures by their addresses, as they come: whether they are any is not looked at. */
final class WebPictures {
    private static final int CHUNK = 1 << 14;

    private final WebClient client;

    WebPictures(WebClient client) {
        this.client = client;
    }

    /** Told of memory before it is filled. */
    interface Memory {
        /** @throws IOException if there is none */
        void take(int bytes) throws IOException;

        /** Gives all back. */
        void release();
    }

    /**
     * @param memory of the picture; what a failed try took is given back
     * @throws WebException why there is none
     */
    byte[] get(String address, Memory memory) throws IOException {
        HttpUrl url = WebClient.url(address);
        var ask = new WebClient.Ask(url, 0, client.settings().timeout(), false);
        return client.trying(url, () -> {
            memory.release();
            try (WebAnswer answer = client.open(ask)) {
                return read(answer, memory);
            }
        });
    }

    private byte[] read(WebAnswer answer, Memory memory) throws IOException {
        if (answer.headers("X-Robots-Tag").stream().anyMatch(this::optsOut)) {
            throw new WebException(WebProblem.OPTED_OUT, "X-Robots-Tag");
        }
        long most = client.settings().maxImageSize().asLongValue();
        if (answer.length() > most) {
            throw new WebException(WebProblem.TOO_LARGE, answer.length() + " bytes");
        }
        var picture = new ByteArrayOutputStream(CHUNK);
        byte[] chunk = new byte[CHUNK];
        InputStream body = answer.body();
        for (int n = next(body, chunk); n >= 0; n = next(body, chunk)) {
            if (picture.size() + n > most) {
                throw new WebException(WebProblem.TOO_LARGE, "more than " + most + " bytes");
            }
            memory.take(n);
            picture.write(chunk, 0, n);
        }
        return picture.toByteArray();
    }

    private static int next(InputStream body, byte[] chunk) throws WebException, InterruptedIOException {
        try {
            return body.read(chunk);
        } catch (IOException e) {
            throw WebClient.problem(e);
        }
    }

    /** {@code noai, noimageai}, perhaps for one crawler only: {@code otherbot: noai}. */
    private boolean optsOut(String tag) {
        String[] parts = tag.toLowerCase(Locale.ROOT).split(":", 2);
        boolean others = parts.length == 2
                && !client.settings().userAgent().toLowerCase(Locale.ROOT).startsWith(parts[0].strip());
        return !others
                && Arrays.stream(parts[parts.length - 1].split(","))
                        .map(String::strip)
                        .anyMatch(client.settings().optOuts()::contains);
    }
}
