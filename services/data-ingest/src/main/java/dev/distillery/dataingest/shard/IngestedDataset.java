package dev.distillery.dataingest.shard;

import java.util.List;
import java.util.Map;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.artifacts.Manifest;

/**
 * A complete data set in the store.
 *
 * @param shardPairs number of pairs of each shard
 * @param seconds that it took, whenever it was made
 * @param reasons number of skipped pairs by reason
 */
public record IngestedDataset(
        String fingerprint,
        int pairs,
        int skipped,
        List<Integer> shardPairs,
        double seconds,
        Map<String, Integer> reasons) {
    /** The part of the manifest that is read again. */
    private record About(
            int pairs, int skipped, List<Integer> shardPairs, double seconds, Map<String, Integer> reasons) {}

    static IngestedDataset of(String fingerprint, Manifest manifest) {
        About about = new ObjectMapper()
                .configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false)
                .convertValue(manifest.about(), About.class);
        return new IngestedDataset(
                fingerprint, about.pairs(), about.skipped(), about.shardPairs(), about.seconds(), about.reasons());
    }
}
