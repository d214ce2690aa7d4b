package dev.distillery.artifacts;

import java.time.Instant;

/** An object of the store. */
public record ObjectInfo(String key, long size, String etag, Instant modified) {}
