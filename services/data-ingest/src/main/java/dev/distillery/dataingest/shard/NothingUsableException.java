package dev.distillery.dataingest.shard;

import java.io.IOException;
import java.util.Map;

/** A source was read to its end and holds no pair to train on. */
public final class NothingUsableException extends IOException {
    private static final long serialVersionUID = 1L;

    NothingUsableException(String source, Map<String, Integer> reasons) {
        super(
                reasons.isEmpty()
                        ? source + " holds no pairs"
                        : "every pair of " + source + " was skipped: "
                                + reasons.toString().replaceAll("[{}]", ""));
    }
}
