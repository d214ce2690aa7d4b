package dev.distillery.artifacts;

import java.util.List;
import java.util.Map;

/** What makes a prefix complete: its files and what they are. */
public record Manifest(String kind, String created, String producer, Map<String, Object> about, List<FileEntry> files) {
    /** @param name relative to the prefix */
    public record FileEntry(String name, long size, String sha256) {}
}
