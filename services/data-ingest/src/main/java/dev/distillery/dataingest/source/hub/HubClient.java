package dev.distillery.dataingest.source.hub;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.jboss.logging.Logger;

/**
 * Asks a Hub over HTTP. What may pass (a broken connection, 429 and 5xx) is tried again for as long as there is patience,
 * as slowly as {@code Retry-After} says; what will not is answered at once, in words for the author of a request.
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

        public static Settings of(String endpoint, Optional<String> token) {
            return new Settings(
                    URI.create(endpoint.replaceFirst("/*$", "")), token, Duration.ofMinutes(5), Duration.ofSeconds(1));
        }
    }

    private static final Logger LOG = Logger.getLogger(HubClient.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(60);
    private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
    private static final int MOST_REDIRECTS = 10;

    private final Settings settings;
    /** Redirects are followed here: the token is for the Hub alone, not for the storage that it points to. */
    private final HttpClient http = HttpClient.newBuilder()
            .connectTimeout(TIMEOUT)
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
        HttpResponse<InputStream> response =
                get(uri, OptionalLong.empty(), OptionalLong.empty(), settings.patience.dividedBy(10));
        try (InputStream body = response.body()) {
            return new Page(JSON.readTree(body), next(response.headers()));
        }
    }

    /** The bytes from {@code from} up to {@code to}, which is not among them. The stream may break off. */
    InputStream bytes(URI uri, long from, long to) throws IOException {
        HttpResponse<InputStream> response = get(uri, OptionalLong.of(from), OptionalLong.of(to), settings.patience);
        if (response.statusCode() == 206 || from == 0) {
            return response.body();
        }
        response.body().close();
        throw new IOException(uri.getHost() + " does not give a part of a file (HTTP " + response.statusCode() + ")");
    }

    /** As GitHub's: {@code <https://...>; rel="next"}. */
    private static Optional<URI> next(HttpHeaders headers) {
        return headers.allValues("Link").stream()
                .flatMap(value -> List.of(value.split(",")).stream())
                .filter(link -> link.contains("rel=\"next\""))
                .map(link -> URI.create(link.substring(link.indexOf('<') + 1, link.indexOf('>'))))
                .findFirst();
    }

    private HttpResponse<InputStream> get(URI uri, OptionalLong from, OptionalLong to, Duration patience)
            throws IOException {
        long deadline = System.nanoTime() + patience.toNanos();
        Duration pause = settings.firstPause;
        while (true) {
            String reason;
            Duration wait = pause;
            try {
                HttpResponse<InputStream> response = follow(uri, from, to);
                if (response.statusCode() < 300) {
                    return response;
                }
                response.body().close();
                if (!passes(response.statusCode())) {
                    throw refused(uri, response);
                }
                reason = "HTTP " + response.statusCode();
                wait = retryAfter(response.headers()).orElse(pause);
            } catch (HubException e) {
                throw e;
            } catch (IOException e) {
                reason = e.toString();
            }
            if (System.nanoTime() + wait.toNanos() > deadline) {
                throw new IOException(settings.endpoint + " cannot be reached: " + reason + " for " + uri.getPath());
            }
            LOG.infof(
                    "Asking again: host=%s path=%s reason=%s seconds=%.1f",
                    uri.getHost(), uri.getPath(), reason, wait.toMillis() / 1e3);
            sleep(wait);
            pause = pause.multipliedBy(2).compareTo(LONGEST_PAUSE) < 0 ? pause.multipliedBy(2) : LONGEST_PAUSE;
        }
    }

    private static boolean passes(int status) {
        return status == 429 || status >= 500;
    }

    private static Optional<Duration> retryAfter(HttpHeaders headers) {
        return headers.firstValue("Retry-After")
                .filter(value -> value.matches("\\d{1,6}"))
                .map(seconds -> Duration.ofSeconds(Long.parseLong(seconds)));
    }

    private HttpResponse<InputStream> follow(URI first, OptionalLong from, OptionalLong to) throws IOException {
        URI uri = first;
        for (int i = 0; i < MOST_REDIRECTS; i++) {
            HttpRequest.Builder request =
                    HttpRequest.newBuilder(uri).timeout(TIMEOUT).header("User-Agent", "distillery");
            if (sameHost(uri)) {
                settings.token.ifPresent(token -> request.header("Authorization", "Bearer " + token));
            }
            if (from.isPresent()) {
                request.header("Range", "bytes=" + from.getAsLong() + "-" + (to.getAsLong() - 1));
            }
            HttpResponse<InputStream> response = send(request.build());
            if (!REDIRECTS.contains(response.statusCode())) {
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

    /** The Hub says more in a header than by the status: it hides that a private repository is there. */
    private HubException refused(URI uri, HttpResponse<?> response) {
        String code = response.headers().firstValue("X-Error-Code").orElse("");
        int status = response.statusCode();
        String token = settings.token.isPresent() ? "the token in HF_TOKEN may not see it" : "HF_TOKEN is not set";
        String reason;
        if (code.equals("GatedRepo")) {
            reason = "is gated: accept its terms on " + settings.endpoint
                    + " and set HF_TOKEN to a token of that account";
        } else if (code.equals("RevisionNotFound")) {
            reason = "has no such revision";
        } else if (code.equals("EntryNotFound")) {
            reason = "has no such file: " + uri.getPath();
        } else if (code.equals("RepoNotFound") || status == 401 || status == 403 || status == 404) {
            reason = "is not there, or is private and " + token;
        } else {
            reason = "answers HTTP " + status + " for " + uri.getPath();
        }
        return new HubException(reason);
    }
}
