package dev.distillery.embedded;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;

import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.nio2blob.FilesystemNio2BlobStore;

/** An S3 server on a folder. */
public final class EmbeddedS3 implements AutoCloseable {
    public static final String ACCESS_KEY = "distillery";
    public static final String SECRET_KEY = "distillery";

    private final S3Proxy server;

    private EmbeddedS3(S3Proxy server) {
        this.server = server;
    }

    /** @param port 0 for any free port */
    public static EmbeddedS3 start(Path dir, int port) {
        try {
            Files.createDirectories(dir);
            S3Proxy server = S3Proxy.builder()
                    .blobStore(new FilesystemNio2BlobStore(dir.toString()))
                    .endpoint(URI.create("http://127.0.0.1:" + port))
                    .awsAuthentication(AuthenticationType.AWS_V2_OR_V4, ACCESS_KEY, SECRET_KEY)
                    .build();
            server.start();
            return new EmbeddedS3(server);
        } catch (Exception e) {
            throw new IllegalStateException("The embedded S3 server did not start", e);
        }
    }

    public String endpoint() {
        return "http://127.0.0.1:" + server.getPort();
    }

    @Override
    public void close() {
        try {
            server.stop();
        } catch (Exception e) {
            throw new IllegalStateException("The embedded S3 server did not stop", e);
        }
    }
}
