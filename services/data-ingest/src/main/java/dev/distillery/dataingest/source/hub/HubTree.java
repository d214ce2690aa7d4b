package dev.distillery.dataingest.source.hub;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.dataingest.source.FileTree;
import dev.distillery.dataingest.source.SourceException;

/**
 * The files of a repository at the commit that its revision was when this was opened.
 *
 * @see <a href="https://huggingface.co/docs/hub/api">the Hub's API</a>
 */
public final class HubTree implements FileTree {
    private static final int PART_BYTES = 16 << 20;

    private final HubClient client;
    private final String uri;
    private final HubAddress pinned;
    private final int partBytes;
    private final SortedMap<String, HubFile> files = new TreeMap<>();

    /**
     * Pins the revision and lists the files.
     *
     * @param field the request's field that has the address
     * @throws SourceException if the Hub does not give it
     * @throws IOException if the Hub cannot be reached
     */
    public static HubTree open(HubClient client, String field, String uri) throws IOException {
        return open(client, field, uri, PART_BYTES);
    }

    static HubTree open(HubClient client, String field, String uri, int partBytes) throws IOException {
        try {
            HubAddress address = HubAddress.of(uri);
            var tree = new HubTree(client, uri, address.at(commit(client, address)), partBytes);
            tree.list();
            if (tree.files.isEmpty()) {
                throw new SourceException(
                        field, uri + " has no files" + (address.folder().isEmpty() ? "" : " there"));
            }
            return tree;
        } catch (HubException e) {
            throw new SourceException(field, uri + " " + e.getMessage());
        } catch (IllegalArgumentException e) {
            throw new SourceException(field, e.getMessage());
        }
    }

    private HubTree(HubClient client, String uri, HubAddress pinned, int partBytes) {
        this.client = client;
        this.uri = uri;
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

    @Override
    public String uri() {
        return uri;
    }

    @Override
    public String pinnedUri() {
        return pinned.toString();
    }

    @Override
    public List<Entry> files() {
        return files.values().stream()
                .map(file -> new Entry(file.name(), file.size()))
                .toList();
    }

    @Override
    public InputStream open(String name) throws IOException {
        return new HubDownload(client, client.uri(pinned.resolve(name)), file(name), partBytes);
    }

    @Override
    public LocalFile local(String name) throws IOException {
        return LocalFile.copyOf(open(name));
    }

    @Override
    public String digest(String name) throws IOException {
        return file(name).digest();
    }

    private HubFile file(String name) throws NoSuchFileException {
        HubFile file = files.get(name);
        if (file == null) {
            throw new NoSuchFileException(uri + "/" + name);
        }
        return file;
    }

    @Override
    public boolean isLocal() {
        return false;
    }
}
