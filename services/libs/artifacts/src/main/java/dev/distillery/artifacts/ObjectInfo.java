package dev.distillery.artifacts;

/** An object of the store. */
public record ObjectInfo(String key, long size, String etag) {}
