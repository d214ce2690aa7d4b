package dev.distillery.dataingest.source.hub;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Executors;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

/**
 * A Hub that speaks the real one's API, as far as reading goes: revisions, listings in pages, files that are answered
 * directly or by a redirect to a storage of another host, its headers and its errors.
 */
public final class HubServer implements AutoCloseable {
    public static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int PAGE = 3;

    private record Fault(int status, String retryAfter) {}

    private record Repository(String access, Map<String, byte[]> files) {}

    private final HttpServer hub = start(this::atHub);
    private final HttpServer storage = start(this::atStorage);
    private final Map<String, Repository> repositories = new TreeMap<>();
    private final Deque<Fault> faults = new ArrayDeque<>();
    private final List<String> storageRequests = Collections.synchronizedList(new ArrayList<>());
    private volatile int cuts;
    private volatile boolean spoilt;

    private interface Handler {
        void handle(HttpExchange exchange) throws IOException;
    }

    private static HttpServer start(Handler handler) {
        try {
            HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
            server.createContext("/", handler::handle);
            server.setExecutor(Executors.newCachedThreadPool(task -> {
                Thread thread = new Thread(task);
                thread.setDaemon(true);
                return thread;
            }));
            server.start();
            return server;
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** @param name {@code models/owner/name} or {@code datasets/owner/name} */
    public void add(String name, Map<String, byte[]> files) {
        repositories.put(name, new Repository("public", files));
    }

    /** Seen with the token {@code hf_good} only. */
    void addPrivate(String name, Map<String, byte[]> files) {
        repositories.put(name, new Repository("private", files));
    }

    void addGated(String name) {
        repositories.put(name, new Repository("gated", Map.of("a", new byte[1])));
    }

    /** The next request is answered so. */
    void fail(int status, String retryAfter) {
        faults.add(new Fault(status, retryAfter));
    }

    /** So many of the storage's next answers break off half-way. */
    void cut(int answers) {
        cuts = answers;
    }

    /** The storage gives other bytes than were listed. */
    void spoil() {
        spoilt = true;
    }

    /** Range and authorization of each request to the storage. */
    List<String> storageRequests() {
        return storageRequests;
    }

    public String endpoint() {
        return "http://127.0.0.1:" + hub.getAddress().getPort();
    }

    HubClient client(String token) {
        return new HubClient(new HubClient.Settings(
                java.net.URI.create(endpoint()),
                Optional.ofNullable(token),
                Duration.ofSeconds(20),
                Duration.ofMillis(10)));
    }

    private void atHub(HttpExchange exchange) throws IOException {
        try (exchange) {
            Fault fault = faults.poll();
            String path = exchange.getRequestURI().getPath();
            if (fault != null) {
                if (fault.retryAfter != null) {
                    exchange.getResponseHeaders().add("Retry-After", fault.retryAfter);
                }
                exchange.sendResponseHeaders(fault.status, -1);
            } else if (path.startsWith("/api/")) {
                api(exchange, path.substring("/api/".length()).split("/", 4));
            } else {
                String of = path.startsWith("/datasets/") ? path.substring(1) : "models" + path;
                resolve(exchange, of.split("/", 6));
            }
        }
    }

    private Repository allowed(HttpExchange exchange, String name) throws IOException {
        Repository repository = repositories.get(name);
        String authorization = exchange.getRequestHeaders().getFirst("Authorization");
        if (repository == null || repository.access.equals("private") && !"Bearer hf_good".equals(authorization)) {
            refuse(exchange, authorization == null ? 401 : 404, "RepoNotFound");
            return null;
        }
        if (repository.access.equals("gated")) {
            refuse(exchange, 403, "GatedRepo");
            return null;
        }
        return repository;
    }

    /** {@code models/owner/name/tree/REVISION} or {@code .../revision/REVISION}. */
    private void api(HttpExchange exchange, String[] parts) throws IOException {
        Repository repository = allowed(exchange, String.join("/", parts[0], parts[1], parts[2]));
        if (repository == null) {
            return;
        }
        String[] call = parts[3].split("/", 2);
        if (!List.of("main", "refs/pr/7", COMMIT).contains(call[1])) {
            refuse(exchange, 404, "RevisionNotFound");
        } else if (call[0].equals("revision")) {
            json(
                    exchange,
                    JSON.createObjectNode().put("id", parts[1] + "/" + parts[2]).put("sha", COMMIT));
        } else {
            tree(exchange, repository);
        }
    }

    private void tree(HttpExchange exchange, Repository repository) throws IOException {
        List<String> names = List.copyOf(repository.files.keySet());
        String query = exchange.getRequestURI().getQuery();
        int from = query.contains("cursor=") ? Integer.parseInt(query.replaceAll(".*cursor=", "")) : 0;
        int to = Math.min(names.size(), from + PAGE);
        ArrayNode page = JSON.createArrayNode();
        for (String name : names.subList(from, to)) {
            byte[] bytes = repository.files.get(name);
            ObjectNode entry =
                    page.addObject().put("type", "file").put("path", name).put("size", bytes.length);
            if (large(name)) {
                entry.put("oid", sha("SHA-1", new byte[0], "a pointer".getBytes(StandardCharsets.UTF_8)));
                entry.putObject("lfs")
                        .put("oid", sha("SHA-256", new byte[0], bytes))
                        .put("size", bytes.length)
                        .put("pointerSize", 134);
            } else {
                entry.put("oid", sha("SHA-1", blob(bytes), bytes));
            }
        }
        page.addObject()
                .put("type", "directory")
                .put("path", "a-folder")
                .put("oid", "0")
                .put("size", 0);
        if (to < names.size()) {
            exchange.getResponseHeaders()
                    .add(
                            "Link",
                            "<" + endpoint() + exchange.getRequestURI().getPath() + "?recursive=true&cursor=" + to
                                    + ">; rel=\"next\"");
        }
        json(exchange, page);
    }

    /** {@code KIND/owner/name/resolve/REVISION/PATH}. */
    private void resolve(HttpExchange exchange, String[] parts) throws IOException {
        Repository repository = allowed(exchange, String.join("/", parts[0], parts[1], parts[2]));
        if (repository == null) {
            return;
        }
        byte[] bytes = repository.files.get(parts[5]);
        exchange.getResponseHeaders().add("X-Repo-Commit", COMMIT);
        if (bytes == null || !parts[4].equals(COMMIT)) {
            refuse(exchange, 404, "EntryNotFound");
        } else if (large(parts[5])) {
            exchange.getResponseHeaders().add("X-Linked-Size", String.valueOf(bytes.length));
            exchange.getResponseHeaders().add("X-Linked-Etag", '"' + sha("SHA-256", new byte[0], bytes) + '"');
            exchange.getResponseHeaders()
                    .add(
                            "Location",
                            "http://localhost:" + storage.getAddress().getPort() + "/"
                                    + String.join("/", parts[0], parts[1], parts[2], parts[5]) + "?signature=abc");
            exchange.sendResponseHeaders(302, -1);
        } else {
            exchange.getResponseHeaders().add("ETag", '"' + sha("SHA-1", blob(bytes), bytes) + '"');
            content(exchange, bytes);
        }
    }

    private static byte[] blob(byte[] bytes) {
        return ("blob " + bytes.length + "\0").getBytes(StandardCharsets.UTF_8);
    }

    private void atStorage(HttpExchange exchange) throws IOException {
        try (exchange) {
            storageRequests.add(exchange.getRequestHeaders().getFirst("Range") + " "
                    + exchange.getRequestHeaders().getFirst("Authorization"));
            String[] parts = URLDecoder.decode(exchange.getRequestURI().getRawPath(), StandardCharsets.UTF_8)
                    .split("/", 5);
            byte[] bytes = repositories
                    .get(String.join("/", parts[1], parts[2], parts[3]))
                    .files
                    .get(parts[4])
                    .clone();
            if (spoilt) {
                bytes[bytes.length / 2] ^= 1;
            }
            content(exchange, bytes);
        }
    }

    private void content(HttpExchange exchange, byte[] bytes) throws IOException {
        String range = exchange.getRequestHeaders().getFirst("Range");
        int from = 0;
        int to = bytes.length;
        if (range != null) {
            String[] ends = range.substring("bytes=".length()).split("-");
            from = Integer.parseInt(ends[0]);
            to = Math.min(to, Integer.parseInt(ends[1]) + 1);
            exchange.getResponseHeaders().add("Content-Range", "bytes " + from + "-" + (to - 1) + "/" + bytes.length);
        }
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.getResponseHeaders().add("Content-Length", String.valueOf(to - from));
            exchange.sendResponseHeaders(200, -1);
            return;
        }
        exchange.sendResponseHeaders(range == null ? 200 : 206, to - from == 0 ? -1 : to - from);
        synchronized (this) {
            if (cuts > 0 && to - from > 1) {
                cuts--;
                to = from + (to - from) / 2; // closing then breaks the connection off
            }
        }
        exchange.getResponseBody().write(bytes, from, to - from);
    }

    private static void refuse(HttpExchange exchange, int status, String code) throws IOException {
        exchange.getResponseHeaders().add("X-Error-Code", code);
        exchange.getResponseHeaders().add("X-Error-Message", "for people");
        exchange.sendResponseHeaders(status, -1);
    }

    private static void json(HttpExchange exchange, Object body) throws IOException {
        byte[] bytes = JSON.writeValueAsBytes(body);
        exchange.getResponseHeaders().add("Content-Type", "application/json");
        exchange.sendResponseHeaders(200, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    private static boolean large(String name) {
        return name.matches(".*\\.(safetensors|parquet|bin)");
    }

    private static String sha(String algorithm, byte[] head, byte[] bytes) {
        try {
            MessageDigest digest = MessageDigest.getInstance(algorithm);
            digest.update(head);
            return HexFormat.of().formatHex(digest.digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        hub.stop(0);
        storage.stop(0);
    }
}
