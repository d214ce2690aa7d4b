package dev.distillery.hub;

import java.io.IOException;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

/**
 * A Hub that speaks the real one's API: revisions, listings in pages, files that are answered directly or by a redirect to a
 * storage of another host; repositories, branches, large file storage and commits; its headers and its errors. What it
 * says is what huggingface_hub 0.36.2 understands, see {@code src/test/python}.
 *
 * <p>Three tokens are known: {@code hf_good} may do everything, {@code hf_read} may read, {@code hf_write} may write to what
 * is there.
 */
public final class HubServer implements AutoCloseable {
    public static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

    private record Fault(String path, int status, String retryAfter) {}

    private final HttpServer hub = Exchanges.start(this::atHub);
    private final HttpServer storage = Exchanges.start(this::atStorage);
    final Map<String, ServedRepository> repositories = new ConcurrentSkipListMap<>();
    private final HubReading reading = new HubReading(this);
    private final HubWriting writing = new HubWriting(this);
    private final HubStorage objects = new HubStorage();
    private final Deque<Fault> faults = new ArrayDeque<>();
    private final List<String> requests = Collections.synchronizedList(new ArrayList<>());

    /** @param name {@code models/owner/name} or {@code datasets/owner/name} */
    public void add(String name, Map<String, byte[]> files) {
        repositories.put(name, new ServedRepository(ServedRepository.Access.PUBLIC, files));
    }

    /** Seen with a known token only. */
    public void addPrivate(String name, Map<String, byte[]> files) {
        repositories.put(name, new ServedRepository(ServedRepository.Access.PRIVATE, files));
    }

    public void addGated(String name) {
        repositories.put(name, new ServedRepository(ServedRepository.Access.GATED, Map.of("a", new byte[1])));
    }

    /** The next request is answered so. */
    public void fail(int status, String retryAfter) {
        fail("", status, retryAfter);
    }

    /** The next request to a path that contains {@code path} is answered so, at the Hub or its storage. */
    public void fail(String path, int status, String retryAfter) {
        synchronized (faults) {
            faults.add(new Fault(path, status, retryAfter));
        }
    }

    /** What the storage holds, and how it fails. */
    public HubStorage storage() {
        return objects;
    }

    /** Files larger than this are taken in parts of this. */
    public void partBytes(int bytes) {
        writing.partBytes = bytes;
    }

    /** Files of a branch as they are now. */
    public Map<String, byte[]> files(String name, String revision) {
        return repositories.get(name).files(revision).orElseThrow();
    }

    /** Method and path of each request to the Hub. */
    public List<String> requests() {
        return requests;
    }

    public String endpoint() {
        return "http://127.0.0.1:" + hub.getAddress().getPort();
    }

    /** Another name of the same machine, so another host. */
    String storageEndpoint() {
        return "http://localhost:" + storage.getAddress().getPort();
    }

    public HubClient client(String token) {
        return client(token, Duration.ofSeconds(20));
    }

    HubClient client(String token, Duration patience) {
        return new HubClient(new HubClient.Settings(
                URI.create(endpoint()), Optional.ofNullable(token), patience, Duration.ofMillis(10)));
    }

    private void atHub(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        requests.add(exchange.getRequestMethod() + " " + path);
        if (failed(exchange)) {
            return;
        }
        if (path.startsWith("/api/") && exchange.getRequestMethod().equals("GET")) {
            reading.api(exchange, path.substring("/api/".length()).split("/", 4));
        } else if (exchange.getRequestMethod().equals("POST")) {
            writing.post(exchange, path);
        } else {
            String of = path.startsWith("/datasets/") ? path.substring(1) : "models" + path;
            reading.resolve(exchange, of.split("/", 6));
        }
    }

    private boolean failed(HttpExchange exchange) throws IOException {
        Fault fault;
        synchronized (faults) {
            String path = exchange.getRequestURI().getPath();
            fault = faults.stream()
                    .filter(f -> path.contains(f.path))
                    .findFirst()
                    .orElse(null);
            faults.remove(fault);
        }
        if (fault == null) {
            return false;
        }
        if (fault.retryAfter != null) {
            exchange.getResponseHeaders().add("Retry-After", fault.retryAfter);
        }
        Exchanges.body(exchange);
        exchange.sendResponseHeaders(fault.status, -1);
        return true;
    }

    /** Whether the account may see the repository; if not, that is answered. */
    Optional<ServedRepository> allowed(HttpExchange exchange, String name) throws IOException {
        ServedRepository repository = repositories.get(name);
        String token = token(exchange);
        if (repository == null || repository.access() == ServedRepository.Access.PRIVATE && !known(token)) {
            Exchanges.refuse(exchange, token == null ? 401 : 404, "RepoNotFound");
            return Optional.empty();
        }
        if (repository.access() == ServedRepository.Access.GATED) {
            Exchanges.refuse(exchange, 403, "GatedRepo");
            return Optional.empty();
        }
        return Optional.of(repository);
    }

    static String token(HttpExchange exchange) {
        String authorization = exchange.getRequestHeaders().getFirst("Authorization");
        return authorization == null ? null : authorization.replace("Bearer ", "");
    }

    static boolean known(String token) {
        return token != null && List.of("hf_good", "hf_read", "hf_write").contains(token);
    }

    private void atStorage(HttpExchange exchange) throws IOException {
        if (failed(exchange)) {
            return;
        }
        String path = URLDecoder.decode(exchange.getRequestURI().getRawPath(), StandardCharsets.UTF_8);
        if (exchange.getRequestMethod().equals("PUT")) {
            objects.put(exchange, path);
        } else {
            String[] parts = path.split("/", 6);
            ServedRepository repository = repositories.get(String.join("/", parts[1], parts[2], parts[3]));
            objects.get(exchange, repository.files(parts[4]).orElseThrow().get(parts[5]));
        }
    }

    @Override
    public void close() {
        hub.stop(0);
        storage.stop(0);
    }

    /** For trying things out: serves until it is ended. */
    public static void main(String... args) throws InterruptedException {
        HubServer server = new HubServer();
        if (args.length > 0) {
            server.partBytes(Integer.parseInt(args[0]));
        }
        System.out.println(server.endpoint());
        Thread.currentThread().join();
    }
}
