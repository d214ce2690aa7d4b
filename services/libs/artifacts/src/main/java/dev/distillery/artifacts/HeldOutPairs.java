package dev.distillery.artifacts;

import java.io.IOException;
import java.util.List;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;

/**
 * {@code runs/<run>/held-out.json}: which pairs of its data set a run was not trained on.
 *
 * @param positions in the data set, in an order of which the beginning is as good a choice as any
 */
public record HeldOutPairs(List<Long> positions) {
    private static final ObjectMapper JSON = new ObjectMapper();

    public HeldOutPairs {
        if (positions == null) {
            throw new IllegalArgumentException("it has no 'positions'");
        }
    }

    /**
     * Those of a run.
     *
     * @throws ArtifactMissingException if it was not trained
     * @throws ArtifactCorruptException if the file says something else
     */
    public static HeldOutPairs read(ArtifactStore store, String run) {
        String key = Keys.heldOut(run);
        try {
            return JSON.readValue(store.read(key), HeldOutPairs.class);
        } catch (IOException e) {
            throw new ArtifactCorruptException(key + " does not tell pairs: " + e.getMessage());
        }
    }

    public byte[] json() {
        try {
            return JSON.writeValueAsBytes(this);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
