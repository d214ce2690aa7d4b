package dev.distillery.dataingest.source.web;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

import okhttp3.Call;
import okhttp3.ConnectionPool;
import okhttp3.Dns;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import org.jboss.logging.Logger;

/**
 * Asks the web politely and warily: few requests to a host at once, pauses where it asks for them, allowed addresses only, no
 * proxy, no cookie, no credential.
 */
public final class WebClient {
    private static final Logger LOG = Logger.getLogger(WebClient.class);
    private static final int MOST_REDIRECTS = 5;
    private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);

    private final WebSettings settings;
    private final HostTurns turns;
    private final OkHttpClient http;

    public WebClient(WebSettings settings) {
        this(settings, Dns.SYSTEM, settings.privateAddresses() ? address -> true : GuardedSockets::isPublic);
    }

    WebClient(WebSettings settings, Dns names, Predicate<InetSocketAddress> allowed) {
        this.settings = settings;
        atLeastOne("concurrency", settings.concurrency());
        atLeastOne("connections-per-host", settings.connectionsPerHost());
        atLeastOne("tries", settings.tries());
        this.turns = new HostTurns(settings.connectionsPerHost());
        this.http = new OkHttpClient.Builder()
                .dns(names)
                .socketFactory(new GuardedSockets(allowed))
                .proxy(Proxy.NO_PROXY) // it would be asked for what must not be asked for here
                .followRedirects(false) // each is a request of its own, with its own host's turn
                .connectTimeout(settings.connectTimeout())
                .readTimeout(settings.readTimeout())
                .connectionPool(new ConnectionPool(settings.concurrency(), 30, TimeUnit.SECONDS))
                .build();
    }

    private static void atLeastOne(String setting, int value) {
        if (value < 1) {
            throw new IllegalArgumentException("distillery.sources." + setting + " must be at least 1 but is " + value);
        }
    }

    WebSettings settings() {
        return settings;
    }

    /**
     * A request, if need be at another address.
     *
     * @param from first byte
     * @param limit for each address that is asked; zero for none
     * @param encrypted whether every address must be {@code https://}
     */
    record Ask(HttpUrl url, long from, Duration limit, boolean encrypted) {}

    /** @throws WebException {@link WebProblem#NO_ADDRESS} if it is none that may be asked */
    static HttpUrl url(String text) throws WebException {
        HttpUrl url = text == null ? null : HttpUrl.parse(text.strip());
        if (url == null) {
            throw new WebException(WebProblem.NO_ADDRESS, "it is not http:// or https://");
        }
        return url;
    }

    /** One try. @throws WebException if nothing comes */
    WebAnswer open(Ask ask) throws WebException, InterruptedIOException {
        HttpUrl url = ask.url;
        for (int hop = 0; hop <= MOST_REDIRECTS; hop++) {
            WebAnswer answer = at(url, ask);
            if (!REDIRECTS.contains(answer.status())) {
                return answer;
            }
            HttpUrl from = url;
            url = answer.header("Location").map(from::resolve).orElse(null);
            answer.close();
            if (url == null) {
                throw new WebException(WebProblem.REFUSED, from.host() + " redirects to no web address");
            }
        }
        throw new WebException(WebProblem.REFUSED, "more than " + MOST_REDIRECTS + " redirects");
    }

    private WebAnswer at(HttpUrl url, Ask ask) throws WebException, InterruptedIOException {
        if (!url.username().isEmpty() || !url.password().isEmpty()) {
            throw new WebException(WebProblem.NOT_ALLOWED, "it has credentials in it");
        }
        if (ask.encrypted && !url.isHttps()) {
            throw new WebException(WebProblem.NOT_ALLOWED, url.host() + " would be asked without encryption");
        }
        turns.enter(url.host());
        boolean open = false;
        try {
            Response response = call(url, ask).execute();
            var answer = new WebAnswer(response, () -> turns.leave(url.host()));
            if (!response.isSuccessful() && !REDIRECTS.contains(response.code())) {
                response.close();
                throw refused(url, answer);
            }
            open = true;
            return answer;
        } catch (IOException e) {
            throw problem(e);
        } finally {
            if (!open) {
                turns.leave(url.host());
            }
        }
    }

    private Call call(HttpUrl url, Ask ask) {
        Request.Builder request = new Request.Builder()
                .url(url)
                .header("User-Agent", settings.userAgent())
                .header("Accept-Encoding", "identity"); // lengths and ranges are those of the file itself
        if (ask.from > 0) {
            request.header("Range", "bytes=" + ask.from + "-");
        }
        Call call = http.newCall(request.build());
        call.timeout().timeout(ask.limit.toMillis(), TimeUnit.MILLISECONDS);
        return call;
    }

    private WebException refused(HttpUrl url, WebAnswer answer) {
        WebProblem problem = WebProblem.ofStatus(answer.status());
        Duration wait = retryAfter(answer).orElse(Duration.ZERO);
        if (problem == WebProblem.BUSY && wait.compareTo(settings.longestPause()) <= 0) {
            turns.pause(url.host(), wait);
        }
        return new WebException(problem, "HTTP " + answer.status() + " of " + url.host(), wait, null);
    }

    private static Optional<Duration> retryAfter(WebAnswer answer) {
        return answer.header("Retry-After")
                .filter(value -> value.matches("\\d{1,6}"))
                .map(seconds -> Duration.ofSeconds(Long.parseLong(seconds)));
    }

    /** @throws InterruptedIOException if it is this thread that was interrupted: no failure of the web's */
    static WebException problem(IOException e) throws InterruptedIOException {
        if (Thread.currentThread().isInterrupted()) {
            throw new InterruptedIOException("interrupted");
        }
        return WebException.of(e);
    }

    /** What is done with the web once. */
    interface Try<T> {
        T run() throws IOException;
    }

    /** Does it again while what failed may pass. */
    <T> T trying(HttpUrl url, Try<T> once) throws IOException {
        Duration pause = settings.pause();
        for (int n = 1; true; n++) {
            Duration wait;
            try {
                return once.run();
            } catch (WebException e) {
                wait = e.retryAfter().compareTo(pause) > 0 ? e.retryAfter() : pause;
                if (!e.problem().passes() || n >= settings.tries() || wait.compareTo(settings.longestPause()) > 0) {
                    throw e;
                }
                LOG.debugf("Asking again: url=%s reason=%s seconds=%.1f", url, e.getMessage(), wait.toMillis() / 1e3);
            }
            sleep(wait);
            pause = pause.multipliedBy(2);
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
