package dev.distillery.dataingest.source.web;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import okhttp3.Dns;

/** A server of the web by its paths, on this machine. Clients of it know hosts {@code *.test}, all of which are this one. */
public final class WebServer implements AutoCloseable {
    /** What a path answers. */
    public interface Handler {
        void answer(HttpExchange exchange) throws IOException;
    }

    private final Map<String, Handler> paths = new ConcurrentHashMap<>();
    private final List<String> requests = Collections.synchronizedList(new ArrayList<>());
    private static final ThreadLocal<Runnable> ANSWERED = new ThreadLocal<>(); // of the request that a thread handles

    private final ConcurrentMap<String, AtomicInteger> open = new ConcurrentHashMap<>();
    private final ConcurrentMap<String, Integer> mostOpen = new ConcurrentHashMap<>();
    private final HttpServer server;

    public WebServer() {
        try {
            server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        server.setExecutor(Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task);
            thread.setDaemon(true);
            return thread;
        }));
        server.createContext("/", this::handle);
        server.start();
    }

    private void handle(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        String host = exchange.getRequestHeaders().getFirst("Host").replaceFirst(":.*", "");
        requests.add(host + path);
        int now = open.computeIfAbsent(host, h -> new AtomicInteger()).incrementAndGet();
        mostOpen.merge(host, now, Math::max);
        AtomicInteger left = new AtomicInteger(1);
        ANSWERED.set(() -> open.get(host).addAndGet(-left.getAndSet(0)));
        try {
            paths.getOrDefault(path, status(404)).answer(exchange);
        } finally {
            ANSWERED.get().run();
            exchange.close();
        }
    }

    /** Who has the answer may ask again before its handler has come to its end, so the request is over before it is sent. */
    private static void send(HttpExchange exchange, int status, long length) throws IOException {
        ANSWERED.get().run();
        exchange.sendResponseHeaders(status, length);
    }

    public void at(String path, Handler handler) {
        paths.put(path, handler);
    }

    public void at(String path, byte[] body) {
        paths.put(path, bytes(body));
    }

    static Handler bytes(byte[] body) {
        return exchange -> {
            send(exchange, 200, body.length == 0 ? -1 : body.length);
            exchange.getResponseBody().write(body);
        };
    }

    /** @param headers name, value, name, value ... */
    public static Handler status(int status, String... headers) {
        return exchange -> {
            for (int i = 0; i < headers.length; i += 2) {
                exchange.getResponseHeaders().add(headers[i], headers[i + 1]);
            }
            send(exchange, status, -1);
        };
    }

    /** The handlers one after another; the last one stays. */
    static Handler inTurn(Handler... handlers) {
        var next = new AtomicInteger();
        return exchange -> handlers[Math.min(next.getAndIncrement(), handlers.length - 1)].answer(exchange);
    }

    /** Says that it is longer than it is. */
    static Handler cut(byte[] body, int length) {
        return exchange -> {
            send(exchange, 200, length);
            exchange.getResponseBody().write(body); // closing then breaks the connection off
        };
    }

    /** Such as {@code one.test/a.png}, in the order that they came. */
    public List<String> requests() {
        return List.copyOf(requests);
    }

    /** How many requests were answered at once at most, by host. */
    Map<String, Integer> mostOpen() {
        return Map.copyOf(mostOpen);
    }

    public int port() {
        return server.getAddress().getPort();
    }

    /** @param host such as {@code one.test} */
    String url(String host, String path) {
        return "http://" + host + ":" + port() + path;
    }

    /** {@code *.test} are this server, {@code *.inside} a machine of a private network; {@code *.gone} are none. */
    static Dns names() {
        return name -> {
            if (name.endsWith(".test")) {
                return List.of(address("127.0.0.1"));
            }
            if (name.endsWith(".inside")) {
                return List.of(address("10.0.0.1"));
            }
            if (name.endsWith(".gone")) {
                throw new UnknownHostException(name);
            }
            return List.of(InetAddress.getAllByName(name));
        };
    }

    private static InetAddress address(String literal) throws UnknownHostException {
        return InetAddress.getByName(literal);
    }

    /**
     * A client that may reach this server and the public internet.
     *
     * @param more settings, name, value, name, value ...
     */
    WebClient client(String... more) {
        return new WebClient(
                settings(more),
                names(),
                address -> address.getPort() == port()
                                && address.getAddress().getHostAddress().equals("127.0.0.1")
                        || GuardedSockets.isPublic(address));
    }

    /** Of tests, which have no time. */
    static WebSettings settings(String... more) {
        Map<String, String> all = new HashMap<>(Map.of(
                "distillery.sources.pause", "10ms",
                "distillery.sources.read-timeout", "2s",
                "distillery.sources.plain-http", "true"));
        for (int i = 0; i < more.length; i += 2) {
            all.put("distillery.sources." + more[i], more[i + 1]);
        }
        return WebSettings.of(all);
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
