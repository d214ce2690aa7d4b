package dev.distillery.monitoring;

import java.time.Duration;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.StoreConfig;
import dev.distillery.artifacts.StoreException;

/** A question to the store that every service may ask, with little patience for the answer. */
final class StoreProbe {
    private static final String ASKED = Keys.request("health"); // every service reads requests

    private final ArtifactStore store;

    StoreProbe(StoreConfig config, Duration patience) {
        store = new ArtifactStore(config.withPatience(patience));
    }

    /** @throws StoreException when it does not answer, or refuses to */
    void ask() {
        store.stat(ASKED);
    }
}
