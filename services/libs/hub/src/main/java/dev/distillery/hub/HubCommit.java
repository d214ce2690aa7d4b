package dev.distillery.hub;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.hub.HubUpload.Planned;

/** Makes files a commit: a line of JSON for each, with the content of small ones, of large ones only what they are. */
record HubCommit(HubClient client, HubAddress to, UploadFiles files, HubUpload.Progress progress) {

    /** Returns the commit's page. */
    URI of(List<Planned> changed, String message) throws IOException {
        long bytes = lines(changed, message).mapToLong(line -> line.length).sum();
        var body = BodyPublishers.fromPublisher(
                BodyPublishers.ofByteArrays(() -> lines(changed, message).iterator()), bytes);
        URI commit = client.uri(to.api() + "/commit/" + to.encodedRevision());
        JsonNode answer = client.post(Call.post(commit, body).with("Content-Type", "application/x-ndjson"));
        changed.stream()
                .filter(file -> !file.large())
                .forEach(file -> progress.sent(file.file().name(), file.file().size()));
        String page = answer.path("commitUrl").asText();
        return page.isEmpty() ? client.uri("/" + to.repository()) : URI.create(page);
    }

    /** Made one after another, so that one small file is in memory at a time. */
    private Stream<byte[]> lines(List<Planned> changed, String message) {
        ObjectNode header =
                JsonNodeFactory.instance.objectNode().put("summary", message).put("description", "");
        return Stream.concat(Stream.of(line("header", header)), changed.stream().map(this::line));
    }

    private byte[] line(Planned planned) {
        ObjectNode value =
                JsonNodeFactory.instance.objectNode().put("path", planned.file().name());
        return planned.large()
                ? line(
                        "lfsFile",
                        value.put("algo", "sha256")
                                .put("oid", planned.sha256())
                                .put("size", planned.file().size()))
                : line("file", value.put("encoding", "base64").put("content", content(planned.file())));
    }

    private String content(UploadFiles.Entry file) {
        try (InputStream in = files.open(file.name(), 0, file.size())) {
            return Base64.getEncoder().encodeToString(in.readNBytes(Math.toIntExact(file.size())));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] line(String key, ObjectNode value) {
        ObjectNode line = JsonNodeFactory.instance.objectNode().put("key", key);
        line.set("value", value);
        return (line + "\n").getBytes(StandardCharsets.UTF_8);
    }
}
