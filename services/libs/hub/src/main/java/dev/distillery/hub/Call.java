package dev.distillery.hub;

import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * A request as it is sent, perhaps again and to where a redirect points: all but the token.
 *
 * @param body can be read any number of times
 */
record Call(String method, URI uri, BodyPublisher body, Map<String, String> headers) {
    static final Duration TIMEOUT = Duration.ofSeconds(60);
    /** The answer comes when the whole body has been sent: a body is given the time that a slow line needs. */
    private static final long SLOWEST_BYTES_PER_SECOND = 128 << 10;

    private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
    /** With the others a body would get lost. */
    private static final Set<Integer> REDIRECTS_OF_BODIES = Set.of(307, 308);

    static Call get(URI uri) {
        return new Call("GET", uri, BodyPublishers.noBody(), Map.of());
    }

    static Call post(URI uri, BodyPublisher body) {
        return new Call("POST", uri, body, Map.of());
    }

    static Call put(URI uri, BodyPublisher body) {
        return new Call("PUT", uri, body, Map.of());
    }

    Call with(String header, String value) {
        var all = new LinkedHashMap<>(headers);
        all.put(header, value);
        return new Call(method, uri, body, all);
    }

    boolean writes() {
        return !method.equals("GET");
    }

    boolean follows(int status) {
        return (writes() ? REDIRECTS_OF_BODIES : REDIRECTS).contains(status);
    }

    HttpRequest.Builder request(URI target) {
        long bytes = Math.max(0, body.contentLength());
        var request = HttpRequest.newBuilder(target)
                .method(method, body)
                .timeout(TIMEOUT.plusSeconds(bytes / SLOWEST_BYTES_PER_SECOND));
        headers.forEach(request::header);
        return request;
    }
}
