package dev.distillery.dataingest.source.web;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

import dev.distillery.artifacts.Digest;
import dev.distillery.dataingest.source.FileTree;
import dev.distillery.dataingest.source.SourceException;
import okhttp3.HttpUrl;

/** One file of the web. */
public final class WebTree implements FileTree {
    private static final String KINDS = ".*\\.(parquet|csv|tsv|jsonl|tar)";

    private final WebClient client;
    private final String uri;
    private final WebClient.Ask ask;
    private final Version version;

    /**
     * What the host says of the file's content.
     *
     * @param bytes -1 if it does not tell
     */
    record Version(long bytes, Optional<String> etag, Optional<String> modified) {
        static Version of(WebAnswer answer) {
            return new Version(answer.length(), answer.header("ETag"), answer.header("Last-Modified"));
        }

        boolean isNamed() {
            return etag.isPresent() || modified.isPresent();
        }

        /** Whether another answer, perhaps with a part of it, is of the same content. */
        boolean isThatOf(WebAnswer answer) {
            boolean whole = answer.status() != 206;
            if (whole && bytes >= 0 && answer.length() >= 0 && answer.length() != bytes) {
                return false;
            }
            return etag.isPresent()
                    ? etag.equals(answer.header("ETag"))
                    : modified.equals(answer.header("Last-Modified"));
        }
    }

    /**
     * Asks what is there.
     *
     * @param field the request's field that has the address
     * @throws SourceException if it gives no file that is one of a data set
     */
    public static WebTree open(WebClient client, String field, String uri) throws IOException {
        HttpUrl url;
        try {
            url = WebClient.url(uri);
            if (!name(url).matches(KINDS)) {
                throw new SourceException(
                        field, uri + " must be a file that ends with .parquet, .csv, .tsv, .jsonl or .tar");
            }
            boolean encrypted = !client.settings().plainHttp();
            if (encrypted && !url.isHttps()) {
                throw new SourceException(
                        field,
                        uri
                                + " must begin with https://: what comes without encryption may have been changed on its way"
                                + " (distillery.sources.plain-http allows it)");
            }
            var ask = new WebClient.Ask(url, 0, Duration.ZERO, encrypted);
            return client.trying(url, () -> {
                try (WebAnswer answer = client.open(ask)) {
                    return new WebTree(client, uri, ask, Version.of(answer)).checked(field);
                }
            });
        } catch (WebException e) {
            throw new SourceException(field, uri + ": " + e.problem().words() + ", " + e.getMessage());
        }
    }

    private WebTree(WebClient client, String uri, WebClient.Ask ask, Version version) {
        this.client = client;
        this.uri = uri;
        this.ask = ask;
        this.version = version;
    }

    private WebTree checked(String field) throws SourceException {
        if (version.bytes > most()) {
            throw new SourceException(field, uri + tooLarge(version.bytes));
        }
        return this;
    }

    private long most() {
        return client.settings().maxFileSize().asLongValue();
    }

    private static String tooLarge(long bytes) {
        return " has " + bytes + " bytes, more than distillery.sources.max-file-size";
    }

    private static String name(HttpUrl url) {
        return url.pathSegments().get(url.pathSegments().size() - 1);
    }

    @Override
    public String uri() {
        return uri;
    }

    @Override
    public List<Entry> files() {
        return List.of(new Entry(name(ask.url()), Math.max(0, version.bytes)));
    }

    @Override
    public InputStream open(String name) throws IOException {
        if (!name.equals(name(ask.url()))) {
            throw new NoSuchFileException(uri + " is one file; there is no " + name + " beside it");
        }
        return new WebDownload(client, ask, version, most());
    }

    @Override
    public LocalFile local(String name) throws IOException {
        return LocalFile.copyOf(open(name));
    }

    /** By what the host says; of one that says nothing the content is read. */
    @Override
    public String digest(String name) throws IOException {
        if (version.isNamed()) {
            return new Digest().add(version).hex();
        }
        try (InputStream content = open(name)) {
            return Digest.of(content);
        }
    }

    @Override
    public boolean isLocal() {
        return false;
    }
}
