package dev.distillery.hub;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * Puts files into a repository in one commit: until that, which comes last, the repository is as it was. What it has already
 * is not sent; files of it that are not among these stay.
 *
 * @see <a href="https://github.com/huggingface/huggingface_hub/blob/v0.36.2/src/huggingface_hub/_commit_api.py">the same
 *     conversation in Python</a>
 */
public final class HubUpload {
    private static final int FILES_A_REQUEST = 256;
    private static final int SAMPLE_BYTES = 512;
    private static final int FILES_AT_ONCE = 2; // of each of which LargeFile sends several parts at once

    private final HubClient client;
    private final HubAddress to;
    private final UploadFiles files;
    private final Progress progress;

    /** Told as it goes, by any thread. */
    public interface Progress {
        void sent(String name, long bytes);
    }

    /**
     * @param commit its page; that of the newest one if there was nothing to send
     * @param sent files
     * @param bytes of these
     * @param there files that the repository had
     */
    public record Result(URI commit, int sent, long bytes, int there) {}

    /** A file, and how the Hub wants it. */
    record Planned(UploadFiles.Entry file, boolean large, String sha256) {}

    public HubUpload(HubClient client, HubAddress to, UploadFiles files, Progress progress) {
        this.client = client;
        this.to = to;
        this.files = files;
        this.progress = progress;
    }

    /**
     * Sends what is new.
     *
     * @throws HubException if the Hub does not want it
     * @throws IOException if the Hub cannot be reached, or a file cannot be read
     */
    public Result push(String message) throws IOException {
        List<UploadFiles.Entry> all = files.files();
        List<Planned> changed = new ArrayList<>();
        for (int i = 0; i < all.size(); i += FILES_A_REQUEST) {
            changed.addAll(changed(all.subList(i, Math.min(all.size(), i + FILES_A_REQUEST))));
        }
        if (changed.isEmpty()) {
            return new Result(client.uri("/" + to.repository()), 0, 0, all.size());
        }
        URI commit = send(changed, message);
        long bytes = changed.stream().mapToLong(planned -> planned.file.size()).sum();
        return new Result(commit, changed.size(), bytes, all.size() - changed.size());
    }

    private URI send(List<Planned> changed, String message) throws IOException {
        try {
            sendLargeFiles(changed);
            return new HubCommit(client, to, files, progress).of(changed, message);
        } catch (UncheckedIOException e) {
            throw e.getCause(); // from reading a file
        }
    }

    /** Asks the Hub which files go into large file storage, and what it has of them. */
    private List<Planned> changed(List<UploadFiles.Entry> some) throws IOException {
        ObjectNode question = JsonNodeFactory.instance.objectNode();
        ArrayNode asked = question.putArray("files");
        for (UploadFiles.Entry file : some) {
            asked.addObject()
                    .put("path", file.name())
                    .put("sample", Base64.getEncoder().encodeToString(content(file, SAMPLE_BYTES)))
                    .put("size", file.size());
        }
        Map<String, JsonNode> answers = new HashMap<>();
        URI preupload = client.uri(to.api() + "/preupload/" + to.encodedRevision());
        client.post(preupload, question)
                .path("files")
                .forEach(answer -> answers.put(answer.path("path").asText(), answer));
        List<Planned> changed = new ArrayList<>();
        for (UploadFiles.Entry file : some) {
            JsonNode answer = answers.get(file.name());
            if (answer == null) {
                throw new HubException(0, "says nothing of " + file.name() + " when asked whether it takes it");
            }
            if (!answer.path("shouldIgnore").asBoolean()) {
                Planned planned = planned(file, answer);
                String digest = planned.large ? planned.sha256 : Digests.git(content(file, file.size()));
                if (!digest.equals(answer.path("oid").asText())) {
                    changed.add(planned);
                }
            }
        }
        return changed;
    }

    /** A storage does not take an empty object. */
    private Planned planned(UploadFiles.Entry file, JsonNode answer) throws IOException {
        boolean large = answer.path("uploadMode").asText().equals("lfs") && file.size() > 0;
        return new Planned(file, large, large ? files.sha256(file.name()) : null);
    }

    private byte[] content(UploadFiles.Entry file, long most) throws IOException {
        try (InputStream in = files.open(file.name(), 0, Math.min(most, file.size()))) {
            return in.readNBytes(Math.toIntExact(Math.min(most, file.size())));
        }
    }

    /** Files of the same content are one object. */
    private void sendLargeFiles(List<Planned> changed) throws IOException {
        Map<String, Planned> objects = new HashMap<>();
        changed.stream().filter(Planned::large).forEach(planned -> objects.putIfAbsent(planned.sha256, planned));
        var storage = new LargeFiles(client, to, files, progress);
        Parallel.map(List.copyOf(objects.values()), FILES_AT_ONCE, planned -> {
            storage.send(planned);
            return planned;
        });
    }
}
