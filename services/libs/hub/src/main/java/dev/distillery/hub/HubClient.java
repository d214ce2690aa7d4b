package dev.distillery.hub;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import org.jboss.logging.Logger;

/**
 * Asks a Hub over HTTP. What may pass (a broken connection, 429 and 5xx) is tried again for as long as there is patience,
 * as slowly as {@code Retry-After} says; what will not is answered at once, in words for the user.
 */
public final class HubClient {
    /**
     * @param endpoint {@code https://huggingface.co}, or a mirror
     * @param token of an account, for gated and private repositories
     * @param patience how long a part of a file is asked for again; what says whether there is anything at all, for a tenth
     *     of it, since another request may be waiting
     * @param firstPause before the second try; doubled for each further one
     */
    public record Settings(URI endpoint, Optional<String> token, Duration patience, Duration firstPause) {
        public static final String ENDPOINT = "https://huggingface.co";

        /** As the Hub's own tools find them: {@code HF_ENDPOINT} and {@code HF_TOKEN}. */
        public static Settings of(Map<String, String> environment) {
            return of(
                    environment.getOrDefault("HF_ENDPOINT", ENDPOINT),
                    Optional.ofNullable(environment.get("HF_TOKEN")));
        }

        /** @throws IllegalArgumentException if the endpoint is no address */
        public static Settings of(String endpoint, Optional<String> token) {
            if (!endpoint.matches("https?://[^/\\s?#]+/*")) {
                throw new IllegalArgumentException(
                        "HF_ENDPOINT must be an address such as " + ENDPOINT + " but is " + endpoint);
            }
            return new Settings(
                    URI.create(endpoint.replaceFirst("/*$", "")), token, Duration.ofMinutes(5), Duration.ofSeconds(1));
        }
    }

    private static final Logger LOG = Logger.getLogger(HubClient.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(60);
    private static final int MOST_REDIRECTS = 10;

    private final Settings settings;
    /** Redirects are followed here: the token is for the Hub alone, not for the storage that it points to. */
    private final HttpClient http = HttpClient.newBuilder()
            .connectTimeout(Call.TIMEOUT)
            .followRedirects(HttpClient.Redirect.NEVER)
            .build();

    public HubClient(Settings settings) {
        this.settings = settings;
    }

    /** A page of a listing, and where the next one is. */
    record Page(JsonNode json, Optional<URI> next) {}

    URI uri(String pathAndQuery) {
        return URI.create(settings.endpoint + pathAndQuery);
    }

    Page json(URI uri) throws IOException {
        HttpResponse<InputStream> response = answer(Call.get(uri), settings.patience.dividedBy(10));
        try (InputStream body = response.body()) {
            return new Page(JSON.readTree(body), next(response.headers()));
        }
    }

    /** The bytes from {@code from} up to {@code to}, which is not among them. The stream may break off. */
    InputStream bytes(URI uri, long from, long to) throws IOException {
        Call call = Call.get(uri).with("Range", "bytes=" + from + "-" + (to - 1));
        HttpResponse<InputStream> response = answer(call, settings.patience);
        if (response.statusCode() == 206 || from == 0) {
            return response.body();
        }
        response.body().close();
        throw new IOException(uri.getHost() + " does not give a part of a file (HTTP " + response.statusCode() + ")");
    }

    /** Posts JSON; returns the JSON that is answered, if any. */
    JsonNode post(URI uri, JsonNode body) throws IOException {
        return post(Call.post(uri, BodyPublishers.ofByteArray(JSON.writeValueAsBytes(body)))
                .with("Content-Type", "application/json"));
    }

    JsonNode post(Call call) throws IOException {
        try (InputStream answer = answer(call, settings.patience).body()) {
            byte[] bytes = answer.readAllBytes();
            return bytes.length > 0 && bytes[0] == '{' ? JSON.readTree(bytes) : MissingNode.getInstance();
        }
    }

    /** Puts content into a storage that the Hub named; returns the headers of its answer. */
    HttpHeaders put(URI uri, BodyPublisher body) throws IOException {
        HttpResponse<InputStream> response = answer(Call.put(uri, body), settings.patience);
        response.body().close();
        return response.headers();
    }

    Settings settings() {
        return settings;
    }

    /** As GitHub's: {@code <https://...>; rel="next"}. */
    private static Optional<URI> next(HttpHeaders headers) {
        return headers.allValues("Link").stream()
                .flatMap(value -> List.of(value.split(",")).stream())
                .filter(link -> link.contains("rel=\"next\""))
                .map(link -> URI.create(link.substring(link.indexOf('<') + 1, link.indexOf('>'))))
                .findFirst();
    }

    private HttpResponse<InputStream> answer(Call call, Duration patience) throws IOException {
        long deadline = System.nanoTime() + patience.toNanos();
        Duration pause = settings.firstPause;
        while (true) {
            String reason;
            Duration wait = pause;
            try {
                HttpResponse<InputStream> response = follow(call);
                if (response.statusCode() < 300) {
                    return response;
                }
                try (InputStream body = response.body()) {
                    if (!passes(response.statusCode())) {
                        throw new Refusal(settings, call, response, body.readNBytes(Refusal.MOST_BYTES)).exception();
                    }
                }
                reason = "HTTP " + response.statusCode();
                wait = retryAfter(response.headers()).orElse(pause);
            } catch (HubException e) {
                throw e;
            } catch (InterruptedIOException e) {
                throw e;
            } catch (IOException e) {
                reason = e.toString();
            }
            if (System.nanoTime() + wait.toNanos() > deadline) {
                throw new IOException(origin(call.uri()) + " cannot be reached: " + reason + " for "
                        + call.uri().getPath());
            }
            LOG.infof(
                    "Asking again: host=%s path=%s reason=%s seconds=%.1f",
                    call.uri().getHost(), call.uri().getPath(), reason, wait.toMillis() / 1e3);
            sleep(wait);
            pause = pause.multipliedBy(2).compareTo(LONGEST_PAUSE) < 0 ? pause.multipliedBy(2) : LONGEST_PAUSE;
        }
    }

    private static String origin(URI uri) {
        return uri.getScheme() + "://" + uri.getAuthority();
    }

    private static boolean passes(int status) {
        return status == 429 || status >= 500;
    }

    private static Optional<Duration> retryAfter(HttpHeaders headers) {
        return headers.firstValue("Retry-After")
                .filter(value -> value.matches("\\d{1,6}"))
                .map(seconds -> Duration.ofSeconds(Long.parseLong(seconds)));
    }

    private HttpResponse<InputStream> follow(Call call) throws IOException {
        URI uri = call.uri();
        for (int i = 0; i < MOST_REDIRECTS; i++) {
            HttpRequest.Builder request = call.request(uri).header("User-Agent", "distillery");
            if (sameHost(uri)) {
                settings.token.ifPresent(token -> request.header("Authorization", "Bearer " + token));
            }
            HttpResponse<InputStream> response = send(request.build());
            if (!call.follows(response.statusCode())) {
                return response;
            }
            response.body().close();
            uri = uri.resolve(response.headers()
                    .firstValue("Location")
                    .orElseThrow(() -> new IOException("a redirect without a Location")));
        }
        throw new IOException("more than " + MOST_REDIRECTS + " redirects");
    }

    private boolean sameHost(URI uri) {
        return settings.endpoint.getAuthority().equals(uri.getAuthority())
                && settings.endpoint.getScheme().equals(uri.getScheme());
    }

    private HttpResponse<InputStream> send(HttpRequest request) throws IOException {
        try {
            return http.send(request, BodyHandlers.ofInputStream());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        } catch (IOException e) {
            for (Throwable cause = e; cause != null; cause = cause.getCause()) {
                if (cause instanceof UncheckedIOException content) {
                    throw content; // what is sent cannot be read: no use in asking again
                }
            }
            throw e;
        }
    }

    private static void sleep(Duration wait) throws InterruptedIOException {
        try {
            TimeUnit.MILLISECONDS.sleep(wait.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
    }
}
