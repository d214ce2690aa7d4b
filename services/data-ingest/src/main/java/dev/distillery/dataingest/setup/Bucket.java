package dev.distillery.dataingest.setup;

import java.util.Optional;
import java.util.UUID;

import dev.distillery.artifacts.ArtifactMissingException;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.StoreConfig;
import dev.distillery.artifacts.StoreException;

/** The bucket of an installation, and whether the store can do what leases need. */
final class Bucket {
    private static final String FOLDER = "setup/";
    private static final byte[] ONE = {'1'};

    private final StoreConfig config;
    private final ArtifactStore store;

    Bucket(StoreConfig config) throws SetupException {
        this.config = config;
        try {
            this.store = new ArtifactStore(config);
        } catch (StoreException | IllegalArgumentException e) {
            throw refused(e);
        }
    }

    void make() throws SetupException {
        try {
            store.ensureBucket();
        } catch (StoreException e) {
            throw refused(e);
        }
    }

    /**
     * Writes, reads and deletes an object, on conditions too: some stores take no notice of them, and there two trainers would
     * work on one run.
     */
    void check() throws SetupException {
        String key = FOLDER + UUID.randomUUID();
        try {
            store.list(FOLDER);
            boolean created = store.createIfAbsent(key, ONE);
            boolean createdAgain = store.createIfAbsent(key, ONE);
            Optional<String> stale = store.replaceIfMatch(key, ONE, "00000000000000000000000000000000");
            store.delete(key);
            if (!created || createdAgain || stale.isPresent()) {
                throw new SetupException("The store at " + config
                        + " takes no notice of If-None-Match or If-Match, which leases need: use one that does, such as"
                        + " MinIO or AWS S3");
            }
        } catch (ArtifactMissingException e) {
            throw new SetupException("The store at " + config + " has no such bucket; make it with 'setup bucket'");
        } catch (StoreException e) {
            throw refused(e);
        }
    }

    private SetupException refused(Exception e) {
        return new SetupException("The store at " + config + ": " + e.getMessage());
    }
}
