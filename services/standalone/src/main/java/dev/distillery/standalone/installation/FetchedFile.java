package dev.distillery.standalone.installation;

import java.util.Optional;
import java.util.regex.Pattern;

import dev.distillery.artifacts.Manifest;
import dev.distillery.artifacts.ObjectInfo;

/**
 * A file to be fetched.
 *
 * @param name its path in the folder that it is fetched into
 * @param version changes with the content: parts of two versions never meet
 * @param digest empty: only its size can be checked
 */
record FetchedFile(String key, String name, long size, String version, Optional<Digest> digest) {
    private static final Pattern MD5 = Pattern.compile("[0-9a-f]{32}");

    /** @param algorithm as Java names it */
    record Digest(String algorithm, String hex) {}

    static FetchedFile of(String prefix, String folder, Manifest.FileEntry file) {
        return new FetchedFile(
                prefix + file.name(),
                folder + file.name(),
                file.size(),
                file.sha256(),
                Optional.of(new Digest("SHA-256", file.sha256())));
    }

    /** Of what has no manifest: the ETag of an object that was written in one part is its MD5. */
    static FetchedFile of(ObjectInfo object, String name) {
        String etag = object.etag().replace("\"", "");
        return new FetchedFile(
                object.key(),
                name,
                object.size(),
                etag,
                MD5.matcher(etag).matches() ? Optional.of(new Digest("MD5", etag)) : Optional.empty());
    }
}
