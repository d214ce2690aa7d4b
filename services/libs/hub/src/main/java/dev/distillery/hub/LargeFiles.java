package dev.distillery.hub;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.hub.HubUpload.Planned;

/**
 * Git's large file storage: the Hub says where an object goes, in one piece or in parts, and is told when it is there. An
 * object is content, so that another repository's is the same one. Each is asked for when its turn comes: an address to write
 * to is good for some time only.
 *
 * @see <a href="https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md">the batch API</a>
 * @see <a href="https://github.com/huggingface/huggingface_hub/blob/v0.36.2/src/huggingface_hub/lfs.py">the Hub's transfer in parts</a>
 */
record LargeFiles(HubClient client, HubAddress to, UploadFiles files, HubUpload.Progress progress) {
    private static final int PARTS_AT_ONCE = 4;
    private static final String JSON = "application/vnd.git-lfs+json";

    private record Part(int number, URI uri, long from, long bytes) {}

    void send(Planned object) throws IOException {
        JsonNode actions = batch(object);
        if (actions.isMissingNode()) {
            return; // it has the content already, perhaps from a push that broke off
        }
        URI upload = uri(object, actions.at("/upload/href"));
        JsonNode header = actions.at("/upload/header");
        if (header.has("chunk_size")) {
            sendParts(object, upload, header);
        } else {
            put(object, new Part(1, upload, 0, object.file().size()));
        }
        if (actions.has("verify")) {
            client.post(uri(object, actions.at("/verify/href")), described(object));
        }
    }

    private JsonNode batch(Planned object) throws IOException {
        ObjectNode question = JsonNodeFactory.instance.objectNode().put("operation", "upload");
        question.putArray("transfers").add("basic").add("multipart");
        question.putArray("objects").add(described(object));
        question.put("hash_algo", "sha256").putObject("ref").put("name", to.revision());
        JsonNode answer = post(client.uri("/" + to.repository() + ".git/info/lfs/objects/batch"), question)
                .at("/objects/0");
        if (answer.has("error")) {
            throw new HubException(
                    0,
                    "does not take " + object.file().name() + ": "
                            + answer.at("/error/message").asText());
        }
        return answer.path("actions");
    }

    private static ObjectNode described(Planned object) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("oid", object.sha256())
                .put("size", object.file().size());
    }

    /** The Hub names itself by its own name even where a mirror stands for it. */
    private URI uri(Planned object, JsonNode href) throws HubException {
        if (!href.isTextual()) {
            throw new HubException(0, "does not say where " + object.file().name() + " goes");
        }
        String hub = HubClient.Settings.ENDPOINT + "/";
        return href.asText().startsWith(hub)
                ? client.uri(href.asText().substring(hub.length() - 1))
                : URI.create(href.asText());
    }

    private void sendParts(Planned object, URI upload, JsonNode header) throws IOException {
        List<Part> parts = parts(object, header);
        List<String> tags = Parallel.map(parts, PARTS_AT_ONCE, part -> put(object, part));
        ObjectNode done = JsonNodeFactory.instance.objectNode().put("oid", object.sha256());
        ArrayNode told = done.putArray("parts");
        for (Part part : parts) {
            told.addObject().put("partNumber", part.number).put("etag", tags.get(part.number - 1));
        }
        post(upload, done);
    }

    /** Beside the parts' size, the header has the address of each by its number. */
    private List<Part> parts(Planned object, JsonNode header) throws HubException {
        var hrefs = new TreeMap<Integer, JsonNode>();
        header.properties().stream()
                .filter(field -> field.getKey().matches("\\d{1,5}"))
                .forEach(field -> hrefs.put(Integer.valueOf(field.getKey()), field.getValue()));
        long size = object.file().size();
        long most = header.path("chunk_size").asLong(); // a number, or one in quotes
        if (most < 1 || hrefs.size() != (size + most - 1) / most) {
            throw new HubException(
                    0,
                    "names " + hrefs.size() + " parts of " + most + " bytes for the " + size + " of "
                            + object.file().name());
        }
        List<Part> parts = new ArrayList<>();
        for (JsonNode href : hrefs.values()) {
            long from = parts.size() * most;
            parts.add(new Part(parts.size() + 1, uri(object, href), from, Math.min(most, size - from)));
        }
        return parts;
    }

    private String put(Planned object, Part part) throws IOException {
        BodyPublisher content = BodyPublishers.fromPublisher(
                BodyPublishers.ofInputStream(() -> open(object.file().name(), part)), part.bytes);
        String tag = client.put(part.uri, content).firstValue("ETag").orElse("");
        progress.sent(object.file().name(), part.bytes);
        return tag;
    }

    private InputStream open(String name, Part part) {
        try {
            return new Content(files.open(name, part.from, part.bytes));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Java's HTTP client takes an {@link IOException} for the end of what is to be sent; with this it gives up. */
    private static final class Content extends FilterInputStream {
        Content(InputStream in) {
            super(in);
        }

        @Override
        public int read(byte[] target, int offset, int length) {
            try {
                return super.read(target, offset, length);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private JsonNode post(URI uri, JsonNode body) throws IOException {
        return client.post(Call.post(uri, BodyPublishers.ofString(body.toString()))
                .with("Content-Type", JSON)
                .with("Accept", JSON));
    }
}
