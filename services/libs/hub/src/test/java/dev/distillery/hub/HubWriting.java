package dev.distillery.hub;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;

/** The part of the API that changes something. */
final class HubWriting {
    private static final int MOST_REGULAR_BYTES = 10 << 20;

    private final HubServer server;
    volatile int partBytes = 5 << 20;

    HubWriting(HubServer server) {
        this.server = server;
    }

    void post(HttpExchange exchange, String path) throws IOException {
        String token = HubServer.token(exchange);
        if (path.equals("/api/complete_multipart")) {
            complete(exchange); // knows a signature, and no token
        } else if (!HubServer.known(token)) {
            Exchanges.body(exchange);
            Exchanges.error(exchange, 401, "Invalid username or password.");
        } else if (path.equals("/api/validate-yaml")) {
            Exchanges.body(exchange);
            ObjectNode fine = Exchanges.JSON.createObjectNode();
            fine.putArray("errors");
            fine.putArray("warnings");
            Exchanges.json(exchange, 200, fine);
        } else if (token.equals("hf_read")) {
            Exchanges.body(exchange);
            Exchanges.error(exchange, 403, "You don't have the rights to write.");
        } else if (path.equals("/api/repos/create")) {
            create(exchange, token);
        } else if (path.startsWith("/api/")) {
            change(exchange, path.substring("/api/".length()).split("/", 5));
        } else {
            objects(exchange, path.substring(1).split("/", 3));
        }
    }

    private void create(HttpExchange exchange, String token) throws IOException {
        JsonNode wanted = Exchanges.JSON.readTree(Exchanges.body(exchange));
        String id =
                wanted.path("organization").asText() + "/" + wanted.path("name").asText();
        String name = wanted.path("type").asText("model") + "s/" + id;
        if (token.equals("hf_write")) {
            Exchanges.error(exchange, 403, "You don't have the rights to create a model under this namespace");
        } else if (server.repositories.containsKey(name)) {
            Exchanges.error(exchange, 409, "You already created this model repo");
        } else {
            Map<String, byte[]> first = Map.of(".gitattributes", "*.bin filter=lfs\n".getBytes());
            if (wanted.path("private").asBoolean()) {
                server.addPrivate(name, first);
            } else {
                server.add(name, first);
            }
            Exchanges.json(exchange, 200, Exchanges.JSON.createObjectNode().put("url", server.endpoint() + "/" + id));
        }
    }

    /** {@code models/owner/name/preupload/REVISION}, {@code commit} or {@code branch}. */
    private void change(HttpExchange exchange, String[] parts) throws IOException {
        byte[] body = Exchanges.body(exchange);
        Optional<ServedRepository> allowed = server.allowed(exchange, String.join("/", parts[0], parts[1], parts[2]));
        if (allowed.isEmpty()) {
            return;
        }
        ServedRepository repository = allowed.get();
        boolean there = repository.commit(parts[4]).isPresent();
        if (parts[3].equals("branch")) {
            if (there) {
                Exchanges.error(exchange, 409, "Reference already exists");
            } else {
                repository.branch(parts[4]);
                Exchanges.json(exchange, 200, Exchanges.JSON.createObjectNode());
            }
        } else if (!there) {
            Exchanges.refuse(exchange, 404, "RevisionNotFound");
        } else if (parts[3].equals("preupload")) {
            preupload(exchange, repository.files(parts[4]).orElseThrow(), Exchanges.JSON.readTree(body));
        } else {
            commit(exchange, parts, repository, new String(body, StandardCharsets.UTF_8));
        }
    }

    private static void preupload(HttpExchange exchange, Map<String, byte[]> files, JsonNode question)
            throws IOException {
        ObjectNode answer = Exchanges.JSON.createObjectNode();
        ArrayNode told = answer.putArray("files");
        for (JsonNode file : question.path("files")) {
            String path = file.path("path").asText();
            byte[] sample = Base64.getDecoder().decode(file.path("sample").asText());
            boolean large =
                    ServedRepository.large(path, sample) || file.path("size").asLong() > MOST_REGULAR_BYTES;
            ObjectNode entry = told.addObject()
                    .put("path", path)
                    .put("uploadMode", large ? "lfs" : "regular")
                    .put("shouldIgnore", false);
            byte[] there = files.get(path);
            if (there != null) {
                entry.put("oid", large && there.length > 0 ? HubReading.sha256(there) : Digests.git(there));
            }
        }
        Exchanges.json(exchange, 200, answer);
    }

    private void commit(HttpExchange exchange, String[] parts, ServedRepository repository, String lines)
            throws IOException {
        Map<String, byte[]> changed = new TreeMap<>();
        boolean header = false;
        for (String line : lines.split("\n")) {
            JsonNode value = Exchanges.JSON.readTree(line).path("value");
            String path = value.path("path").asText();
            switch (Exchanges.JSON.readTree(line).path("key").asText()) {
                case "header" -> header = !value.path("summary").asText().isEmpty();
                case "file" ->
                    changed.put(
                            path,
                            Base64.getDecoder().decode(value.path("content").asText()));
                case "lfsFile" -> {
                    String oid = value.path("oid").asText();
                    if (!server.storage().has(oid)) {
                        Exchanges.error(exchange, 400, "Your push was rejected: LFS pointer to " + oid + " not found");
                        return;
                    }
                    changed.put(path, server.storage().object(oid));
                }
                default -> {
                    Exchanges.error(exchange, 400, "unknown: " + line);
                    return;
                }
            }
        }
        if (!header) {
            Exchanges.error(exchange, 400, "a commit needs a summary");
            return;
        }
        String commit = repository.change(parts[4], changed);
        Exchanges.json(
                exchange,
                200,
                Exchanges.JSON
                        .createObjectNode()
                        .put("success", true)
                        .put("commitOid", commit)
                        .put("commitUrl", server.endpoint() + "/" + parts[1] + "/" + parts[2] + "/commit/" + commit));
    }

    /** {@code owner/name.git/info/lfs/objects/batch} or {@code verify}. */
    private void objects(HttpExchange exchange, String[] parts) throws IOException {
        JsonNode body = Exchanges.JSON.readTree(Exchanges.body(exchange));
        if (server.allowed(exchange, "models/" + parts[0] + "/" + parts[1].replace(".git", ""))
                .isEmpty()) {
            return;
        }
        if (parts[2].endsWith("verify")) {
            boolean there = server.storage().has(body.path("oid").asText());
            Exchanges.error(exchange, there ? 200 : 404, there ? "" : "no such object");
            return;
        }
        ObjectNode answer = Exchanges.JSON.createObjectNode();
        ArrayNode told = answer.putArray("objects");
        for (JsonNode object : body.path("objects")) {
            String oid = object.path("oid").asText();
            ObjectNode entry = told.addObject()
                    .put("oid", oid)
                    .put("size", object.path("size").asLong());
            if (!server.storage().has(oid)) {
                actions(
                        entry.putObject("actions"),
                        parts,
                        oid,
                        object.path("size").asLong());
            }
        }
        Exchanges.json(exchange, 200, answer);
    }

    private void actions(ObjectNode actions, String[] parts, String oid, long size) {
        String upload = server.storageEndpoint() + "/upload/" + oid;
        ObjectNode how = actions.putObject("upload");
        if (size > partBytes) {
            how.put("href", server.endpoint() + "/api/complete_multipart?oid=" + oid + "&signature=abc");
            ObjectNode header = how.putObject("header").put("chunk_size", String.valueOf(partBytes));
            for (int part = 1; (long) (part - 1) * partBytes < size; part++) {
                header.put(String.format("%05d", part), upload + "/" + part + "?signature=abc");
            }
        } else {
            how.put("href", upload + "?signature=abc");
        }
        actions.putObject("verify")
                .put("href", server.endpoint() + "/" + parts[0] + "/" + parts[1] + "/info/lfs/objects/verify");
    }

    private void complete(HttpExchange exchange) throws IOException {
        JsonNode body = Exchanges.JSON.readTree(Exchanges.body(exchange));
        boolean tagged = true;
        for (JsonNode part : body.path("parts")) {
            tagged &= part.path("etag")
                    .asText()
                    .equals("\"part-" + part.path("partNumber").asInt() + '"');
        }
        boolean whole = tagged && server.storage().join(body.path("oid").asText());
        Exchanges.error(exchange, whole ? 200 : 400, whole ? "" : "the parts are not the object");
    }
}
