package dev.distillery.hub;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;

/** The part of the API that tells what there is. */
record HubReading(HubServer server) {
    private static final int PAGE = 3;

    /** {@code models/owner/name}, {@code .../tree/REVISION} or {@code .../revision/REVISION}. */
    void api(HttpExchange exchange, String[] parts) throws IOException {
        Optional<ServedRepository> allowed = server.allowed(exchange, String.join("/", parts[0], parts[1], parts[2]));
        if (allowed.isEmpty()) {
            return;
        }
        ServedRepository repository = allowed.get();
        String[] call = parts.length < 4 ? new String[] {"revision", "main"} : parts[3].split("/", 2);
        Optional<String> commit = repository.commit(call[1]);
        if (commit.isEmpty()) {
            Exchanges.refuse(exchange, 404, "RevisionNotFound");
        } else if (call[0].equals("revision")) {
            info(exchange, parts[1] + "/" + parts[2], repository, commit.get());
        } else {
            tree(exchange, repository.files(commit.get()).orElseThrow());
        }
    }

    private static void info(HttpExchange exchange, String name, ServedRepository repository, String commit)
            throws IOException {
        ObjectNode info = Exchanges.JSON
                .createObjectNode()
                .put("_id", "1")
                .put("id", name)
                .put("private", repository.access() == ServedRepository.Access.PRIVATE)
                .put("sha", commit);
        ArrayNode siblings = info.putArray("siblings");
        repository.files(commit).orElseThrow().keySet().forEach(file -> siblings.addObject()
                .put("rfilename", file));
        Exchanges.json(exchange, 200, info);
    }

    private void tree(HttpExchange exchange, Map<String, byte[]> files) throws IOException {
        List<Map.Entry<String, byte[]>> all = List.copyOf(files.entrySet());
        String query = exchange.getRequestURI().getQuery();
        int from = query.contains("cursor=") ? Integer.parseInt(query.replaceAll(".*cursor=", "")) : 0;
        int to = Math.min(all.size(), from + PAGE);
        ArrayNode page = Exchanges.JSON.createArrayNode();
        for (Map.Entry<String, byte[]> file : all.subList(from, to)) {
            byte[] bytes = file.getValue();
            ObjectNode entry = page.addObject()
                    .put("type", "file")
                    .put("path", file.getKey())
                    .put("size", bytes.length);
            if (ServedRepository.large(file)) {
                entry.put("oid", Digests.git("a pointer".getBytes()));
                entry.putObject("lfs")
                        .put("oid", sha256(bytes))
                        .put("size", bytes.length)
                        .put("pointerSize", 134);
            } else {
                entry.put("oid", Digests.git(bytes));
            }
        }
        page.addObject()
                .put("type", "directory")
                .put("path", "a-folder")
                .put("oid", "0")
                .put("size", 0);
        if (to < all.size()) {
            exchange.getResponseHeaders()
                    .add(
                            "Link",
                            "<" + server.endpoint() + exchange.getRequestURI().getPath() + "?recursive=true&cursor="
                                    + to + ">; rel=\"next\"");
        }
        Exchanges.json(exchange, 200, page);
    }

    /** {@code KIND/owner/name/resolve/REVISION/PATH}. */
    void resolve(HttpExchange exchange, String[] parts) throws IOException {
        Optional<ServedRepository> allowed = server.allowed(exchange, String.join("/", parts[0], parts[1], parts[2]));
        if (allowed.isEmpty()) {
            return;
        }
        Optional<String> commit = allowed.get().commit(parts[4]);
        byte[] bytes = commit.flatMap(allowed.get()::files)
                .map(files -> files.get(parts[5]))
                .orElse(null);
        if (bytes == null) {
            Exchanges.refuse(exchange, 404, "EntryNotFound");
            return;
        }
        exchange.getResponseHeaders().add("X-Repo-Commit", commit.get());
        if (ServedRepository.large(Map.entry(parts[5], bytes))) {
            exchange.getResponseHeaders().add("X-Linked-Size", String.valueOf(bytes.length));
            exchange.getResponseHeaders().add("X-Linked-Etag", '"' + sha256(bytes) + '"');
            exchange.getResponseHeaders()
                    .add(
                            "Location",
                            server.storageEndpoint() + "/"
                                    + String.join("/", parts[0], parts[1], parts[2], commit.get(), parts[5])
                                    + "?signature=abc");
            exchange.sendResponseHeaders(302, -1);
        } else {
            exchange.getResponseHeaders().add("ETag", '"' + Digests.git(bytes) + '"');
            HubStorage.content(exchange, bytes, false);
        }
    }

    static String sha256(byte[] bytes) {
        try {
            return Digests.sha256(new ByteArrayInputStream(bytes));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
