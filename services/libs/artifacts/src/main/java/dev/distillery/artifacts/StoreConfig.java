package dev.distillery.artifacts;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * Where the store is and how to sign in.
 *
 * @param patience how long a call is tried again while the store is unreachable, before it fails
 * @param caFile PEM file of the authorities that signed the store's certificate; the JVM's own where it is not given
 */
public record StoreConfig(
        String endpoint,
        String region,
        String bucket,
        String accessKey,
        String secretKey,
        Duration patience,
        Optional<Path> caFile) {
    /** With ten minutes of patience. */
    public StoreConfig(String endpoint, String region, String bucket, String accessKey, String secretKey) {
        this(endpoint, region, bucket, accessKey, secretKey, Duration.ofMinutes(10));
    }

    /** With the JVM's certificate authorities. */
    public StoreConfig(
            String endpoint, String region, String bucket, String accessKey, String secretKey, Duration patience) {
        this(endpoint, region, bucket, accessKey, secretKey, patience, Optional.empty());
    }

    /** Another bucket of the same store. */
    public StoreConfig ofBucket(String other) {
        return new StoreConfig(endpoint, region, other, accessKey, secretKey, patience, caFile);
    }

    /** The same, given up sooner or later. */
    public StoreConfig withPatience(Duration other) {
        return new StoreConfig(endpoint, region, bucket, accessKey, secretKey, other, caFile);
    }

    /** Without the keys. */
    @Override
    public String toString() {
        return endpoint + "/" + bucket;
    }
}
