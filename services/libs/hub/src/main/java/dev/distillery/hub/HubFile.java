package dev.distillery.hub;

/**
 * A file of a repository.
 *
 * @param name path below the address's folder
 * @param sha256 of the content, of a file in large file storage; else null
 * @param gitOid the SHA-1 that git gives the content, of any other file
 */
public record HubFile(String name, long size, String sha256, String gitOid) {
    /** Another value whenever the content is another. */
    public String digest() {
        return sha256 != null ? "sha256:" + sha256 : "git:" + gitOid;
    }
}
