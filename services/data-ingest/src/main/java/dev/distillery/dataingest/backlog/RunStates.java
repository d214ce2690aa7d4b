package dev.distillery.dataingest.backlog;

import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.artifacts.Lease;
import dev.distillery.artifacts.ObjectInfo;

/** How many runs whose data is ready wait for a trainer, have one, or are paused; told from the queue in the store. */
enum RunStates {
    WAITING,
    TRAINING,
    PAUSED;

    private static final String SUFFIX = ".json";

    String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    static Map<RunStates, Integer> count(ArtifactStore store) {
        Map<RunStates, Integer> counts = new EnumMap<>(RunStates.class);
        for (ObjectInfo entry : store.list(Keys.queue())) {
            String file = entry.key().substring(Keys.queue().length());
            counts.merge(of(store, file.substring(0, file.length() - SUFFIX.length())), 1, Integer::sum);
        }
        return counts;
    }

    private static RunStates of(ArtifactStore store, String run) {
        if (Lease.isHeld(store, run)) {
            return TRAINING;
        }
        return store.stat(Keys.paused(run)).isPresent() ? PAUSED : WAITING;
    }
}
