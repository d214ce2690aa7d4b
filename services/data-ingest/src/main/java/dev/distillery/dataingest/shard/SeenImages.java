package dev.distillery.dataingest.shard;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The images of a data set that were taken so far, by the first 64 bits of their file's SHA-256: among ten million images the
 * chance that two share them is below one in a hundred thousand.
 */
final class SeenImages {
    private final Set<Long> digests = new HashSet<>();
    private final List<Long> since = new ArrayList<>();

    static long digest(byte[] image) {
        try {
            return ByteBuffer.wrap(MessageDigest.getInstance("SHA-256").digest(image))
                    .getLong();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java runtime has SHA-256", e);
        }
    }

    boolean has(long digest) {
        return digests.contains(digest);
    }

    void add(long digest) {
        digests.add(digest);
        since.add(digest);
    }

    /** Those of a shard that was finished before. */
    void addAll(Collection<Long> finished) {
        digests.addAll(finished);
    }

    /** What was added one by one since this was asked last. */
    List<Long> since() {
        List<Long> added = List.copyOf(since);
        since.clear();
        return added;
    }
}
