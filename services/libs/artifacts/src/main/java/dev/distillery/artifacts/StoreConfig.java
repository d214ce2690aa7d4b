package dev.distillery.artifacts;

/** Where the store is and how to sign in. */
public record StoreConfig(String endpoint, String region, String bucket, String accessKey, String secretKey) {}
