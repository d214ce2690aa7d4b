package dev.distillery.artifacts;

import java.time.Duration;

/**
 * Where the store is and how to sign in.
 *
 * @param patience how long a call is tried again while the store is unreachable, before it fails
 */
public record StoreConfig(
        String endpoint, String region, String bucket, String accessKey, String secretKey, Duration patience) {
    /** With ten minutes of patience. */
    public StoreConfig(String endpoint, String region, String bucket, String accessKey, String secretKey) {
        this(endpoint, region, bucket, accessKey, secretKey, Duration.ofMinutes(10));
    }
}
