package dev.distillery.embedded;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;

import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.nio2blob.FilesystemNio2BlobStore;

/**
 * An S3 server on a folder: S3Proxy on its file-system store. {@code If-None-Match: *} is atomic; {@code If-Match} is checked before
 * the object is replaced, so of two updates at the same moment both may win: clients in one JVM hold a lock around it.
 */
public final class EmbeddedS3 implements AutoCloseable {

    /** The key pair of a server that only its own JVM and machine talk to. */
    public static final String ACCESS_KEY = "distillery";

    public static final String SECRET_KEY = "distillery-embedded";

    private final S3Proxy server;

    private EmbeddedS3(S3Proxy server) {
        this.server = server;
    }

    /** Starts a server with {@link #ACCESS_KEY} and {@link #SECRET_KEY}. */
    public static EmbeddedS3 start(Path dir, int port) {
        return start(dir, port, ACCESS_KEY, SECRET_KEY);
    }

    /**
     * Starts a server that listens on the loopback address.
     *
     * @param dir the objects: {@code dir/bucket/key}
     * @param port 0 for any free port
     * @throws EmbeddedException when the port is taken or the folder cannot be used; the message says which
     */
    public static EmbeddedS3 start(Path dir, int port, String accessKey, String secretKey) {
        if (port != 0) {
            Ports.requireFree("The S3 server", port);
        }
        try {
            Files.createDirectories(dir);
            S3Proxy server = S3Proxy.builder()
                    .blobStore(new FilesystemNio2BlobStore(dir.toString()))
                    .endpoint(URI.create("http://127.0.0.1:" + port))
                    .awsAuthentication(AuthenticationType.AWS_V2_OR_V4, accessKey, secretKey)
                    .build();
            server.start();
            return new EmbeddedS3(server);
        } catch (IOException e) {
            throw new EmbeddedException("The S3 server's folder " + dir + " cannot be written: " + e, e);
        } catch (Exception e) {
            throw new EmbeddedException("The S3 server did not start on " + dir + ": " + e.getMessage(), e);
        }
    }

    /** The server's URL, for clients' endpoint. */
    public String endpoint() {
        return "http://127.0.0.1:" + server.getPort();
    }

    @Override
    public void close() {
        try {
            server.stop();
        } catch (Exception e) {
            throw new EmbeddedException("The S3 server did not stop: " + e.getMessage(), e);
        }
    }
}
