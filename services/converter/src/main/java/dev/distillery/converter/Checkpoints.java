package dev.distillery.converter;

import dev.distillery.artifacts.ArtifactMissingException;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;

/** Finds a run's checkpoints in the store. */
final class Checkpoints {

    private final ArtifactStore store;

    Checkpoints(ArtifactStore store) {
        this.store = store;
    }

    /**
     * The step of the newest complete checkpoint.
     *
     * @throws ArtifactMissingException when the run has none
     */
    long newest(String run) {
        String prefix = Keys.checkpoints(run);
        return store.list(prefix).stream()
                .map(object -> object.key().substring(prefix.length()))
                .filter(name -> name.matches("step-\\d+/manifest\\.json"))
                .mapToLong(name -> Long.parseLong(name.replaceAll("\\D", "")))
                .max()
                .orElseThrow(() -> new ArtifactMissingException("Run '" + run + "' has no complete checkpoint yet"));
    }
}
