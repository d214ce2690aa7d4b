package dev.distillery.dataingest.source;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;

import dev.distillery.hub.HubAddress;
import dev.distillery.hub.HubClient;
import dev.distillery.hub.HubException;
import dev.distillery.hub.HubRepository;

/** A repository of a Hub, or a folder of it. */
public final class HubTree implements FileTree {
    private final String uri;
    private final HubRepository repository;

    /**
     * Pins the revision and lists the files.
     *
     * @param field the request's field that has the address
     * @throws SourceException if the Hub does not give it
     * @throws IOException if the Hub cannot be reached
     */
    public static HubTree open(HubClient client, String field, String uri) throws IOException {
        return open(client, field, uri, HubRepository.PART_BYTES);
    }

    static HubTree open(HubClient client, String field, String uri, int partBytes) throws IOException {
        try {
            HubAddress address = HubAddress.of(uri);
            var tree = new HubTree(uri, HubRepository.open(client, address, partBytes));
            if (tree.repository.files().isEmpty()) {
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

    private HubTree(String uri, HubRepository repository) {
        this.uri = uri;
        this.repository = repository;
    }

    @Override
    public String uri() {
        return uri;
    }

    @Override
    public String pinnedUri() {
        return repository.pinned().toString();
    }

    @Override
    public List<Entry> files() {
        return repository.files().values().stream()
                .map(file -> new Entry(file.name(), file.size()))
                .toList();
    }

    @Override
    public InputStream open(String name) throws IOException {
        return repository.open(name);
    }

    @Override
    public byte[] read(String name, long offset, int length) throws IOException {
        return repository.read(name, offset, length);
    }

    @Override
    public long size(String name) throws IOException {
        return repository.file(name).size();
    }

    @Override
    public LocalFile local(String name) throws IOException {
        return LocalFile.copyOf(open(name));
    }

    @Override
    public String digest(String name) throws IOException {
        return repository.file(name).digest();
    }

    @Override
    public boolean isLocal() {
        return false;
    }
}
