package dev.distillery.artifacts;

import java.util.List;
import java.util.Map;

/** What makes a prefix complete: its files and what they are. */
public record Manifest(String kind, String created, String producer, Map<String, Object> about, List<FileEntry> files) {
    /** @throws IllegalArgumentException if it does not list its files */
    public Manifest {
        if (files == null || about == null) {
            throw new IllegalArgumentException("it has no '" + (files == null ? "files" : "about") + "'");
        }
    }

    /** @param name relative to the prefix */
    public record FileEntry(String name, long size, String sha256) {
        public FileEntry {
            if (name == null || sha256 == null || size < 0) {
                throw new IllegalArgumentException("a file of it needs name, size and sha256");
            }
            if (name.startsWith("/") || List.of(name.split("/")).contains("..")) {
                throw new IllegalArgumentException("a manifest names '" + name + "', which leaves its prefix");
            }
        }

        /**
         * @param where the file that should be this one
         * @throws ArtifactCorruptException telling both digests if it is another
         */
        void check(String where, String foundSha256) {
            if (!foundSha256.equals(sha256)) {
                throw new ArtifactCorruptException(where + " is not what its manifest says: its SHA-256 should be "
                        + sha256 + " but is " + foundSha256);
            }
        }
    }
}
