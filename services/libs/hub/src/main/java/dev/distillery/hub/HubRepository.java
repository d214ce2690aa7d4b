package dev.distillery.hub;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.NoSuchFileException;
import java.util.Collections;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * The files of a repository at the commit that its revision was when this was opened. Hidden ones are not among them.
 *
 * @see <a href="https://huggingface.co/docs/hub/api">the Hub's API</a>
 */
public final class HubRepository {
    public static final int PART_BYTES = 16 << 20;

    private final HubClient client;
    private final HubAddress pinned;
    private final int partBytes;
    private final SortedMap<String, HubFile> files = new TreeMap<>();

    /**
     * Pins the revision and lists the files.
     *
     * @param partBytes that are asked for at a time
     * @throws HubException if the Hub does not give it
     * @throws IOException if the Hub cannot be reached
     */
    public static HubRepository open(HubClient client, HubAddress address, int partBytes) throws IOException {
        var repository = new HubRepository(client, address.at(commit(client, address)), partBytes);
        repository.list();
        return repository;
    }

    private HubRepository(HubClient client, HubAddress pinned, int partBytes) {
        this.client = client;
        this.pinned = pinned;
        this.partBytes = partBytes;
    }

    private static String commit(HubClient client, HubAddress address) throws IOException {
        URI info = client.uri(address.api() + "/revision/" + address.encodedRevision());
        String sha = client.json(info).json().path("sha").asText();
        if (!sha.matches("[0-9a-f]{40,64}")) {
            throw new IOException(info + " answers without a commit");
        }
        return sha;
    }

    private void list() throws IOException {
        Optional<URI> next =
                Optional.of(client.uri(pinned.api() + "/tree/" + pinned.encodedRevision() + "?recursive=true"));
        while (next.isPresent()) {
            HubClient.Page page = client.json(next.get());
            page.json().forEach(this::add);
            next = page.next();
        }
    }

    private void add(JsonNode entry) {
        String path = entry.path("path").asText();
        boolean hidden = path.startsWith(".") || path.contains("/.");
        if (!entry.path("type").asText().equals("file") || hidden || !path.startsWith(pinned.folder())) {
            return;
        }
        String name = path.substring(pinned.folder().length());
        JsonNode large = entry.path("lfs");
        files.put(
                name,
                new HubFile(
                        name,
                        large.path("size").asLong(entry.path("size").asLong()),
                        large.path("oid").asText(null),
                        entry.path("oid").asText()));
    }

    /** The address at its commit. */
    public HubAddress pinned() {
        return pinned;
    }

    /** By name. */
    public SortedMap<String, HubFile> files() {
        return Collections.unmodifiableSortedMap(files);
    }

    /** @throws NoSuchFileException if it is not among the files */
    public HubFile file(String name) throws NoSuchFileException {
        HubFile file = files.get(name);
        if (file == null) {
            throw new NoSuchFileException(pinned + "/" + name);
        }
        return file;
    }

    /** A file's content, whose end is reached only if it is what the Hub lists. */
    public InputStream open(String name) throws IOException {
        return new HubDownload(client, client.uri(pinned.resolve(name)), file(name), partBytes);
    }

    /** Some bytes of a file, not checked against a digest. */
    public byte[] read(String name, long offset, int length) throws IOException {
        return HubDownload.part(client, client.uri(pinned.resolve(name)), file(name), offset, offset + length);
    }
}
