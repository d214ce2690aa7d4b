package dev.distillery.artifacts;

/** What was written: size and SHA-256 (hexadecimal) of the bytes that went out. */
public record Stored(String key, long size, String sha256) {}
