package dev.distillery.artifacts;

import java.util.List;
import java.util.Map;

/** What makes a prefix complete: its files and what they are. */
public record Manifest(String kind, String created, String producer, Map<String, Object> about, List<FileEntry> files) {
    /** @param name relative to the prefix */
    public record FileEntry(String name, long size, String sha256) {
        public FileEntry {
            if (name.startsWith("/") || List.of(name.split("/")).contains("..")) {
                throw new IllegalArgumentException("a manifest names '" + name + "', which leaves its prefix");
            }
        }
    }
}
