package dev.distillery.hub;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** By which the Hub knows content: SHA-256 in large file storage, else git's of a blob. */
final class Digests {
    private Digests() {}

    static String sha256(InputStream content) throws IOException {
        MessageDigest digest = sha256();
        new DigestInputStream(content, digest).transferTo(OutputStream.nullOutputStream());
        return HexFormat.of().formatHex(digest.digest());
    }

    static String git(byte[] content) {
        return HexFormat.of().formatHex(git(content.length).digest(content));
    }

    static MessageDigest sha256() {
        return of("SHA-256");
    }

    /** Git's begins with the length. */
    static MessageDigest git(long bytes) {
        MessageDigest sha1 = of("SHA-1");
        sha1.update(("blob " + bytes + "\0").getBytes(StandardCharsets.US_ASCII));
        return sha1;
    }

    private static MessageDigest of(String algorithm) {
        try {
            return MessageDigest.getInstance(algorithm);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java runtime has SHA-1 and SHA-256", e);
        }
    }
}
