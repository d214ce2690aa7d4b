package dev.distillery.artifacts;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLPeerUnverifiedException;

import io.minio.BucketExistsArgs;
import io.minio.GetObjectArgs;
import io.minio.ListObjectsArgs;
import io.minio.MakeBucketArgs;
import io.minio.MinioClient;
import io.minio.PutObjectArgs;
import io.minio.RemoveObjectArgs;
import io.minio.Result;
import io.minio.StatObjectArgs;
import io.minio.StatObjectResponse;
import io.minio.errors.ErrorResponseException;
import io.minio.errors.InvalidResponseException;
import io.minio.errors.ServerException;
import io.minio.errors.XmlParserException;
import io.minio.messages.Item;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The bucket that all services share. Calls that fail for reasons that may pass (no connection, 5xx, 429) are tried again
 * with growing pauses, said in the log, before they throw {@link StoreUnavailableException}; what the store refuses for
 * good (credentials, a bad bucket) throws {@link StoreRefusedException} at once. Safe for use by many threads.
 */
public final class ArtifactStore {
    private static final Logger LOG = LoggerFactory.getLogger(ArtifactStore.class);
    private static final long PART_BYTES = 16L << 20;
    /** A host that is not there does not answer at all; the client's own limit is five minutes. */
    private static final long MOST_MS_TO_CONNECT = 30_000;

    private static final long IO_TIMEOUT_MS = 300_000;
    /** The embedded server checks a condition and then writes, so two threads of one process must not do it at once. */
    private static final Object CONDITIONAL_LOCK = new Object();

    private final MinioClient client;
    private final String bucket;
    private final Duration patience;

    public ArtifactStore(StoreConfig config) {
        this(config, StoreCalls.UNTOLD);
    }

    /** @throws StoreRefusedException when the file of certificates cannot be used */
    public ArtifactStore(StoreConfig config, StoreCalls calls) {
        bucket = config.bucket();
        patience = config.patience();
        client = MinioClient.builder()
                .endpoint(config.endpoint())
                .region(config.region())
                .credentials(config.accessKey(), config.secretKey())
                .httpClient(StoreHttp.client(config, calls))
                .build();
        client.setTimeout(Math.min(patience.toMillis(), MOST_MS_TO_CONNECT), IO_TIMEOUT_MS, IO_TIMEOUT_MS);
    }

    /** Writes an object's content. */
    public interface Upload {
        void to(OutputStream out) throws IOException;
    }

    private interface Call<T> {
        T run() throws Exception;
    }

    public String bucket() {
        return bucket;
    }

    public boolean bucketExists() {
        return call(
                "bucket " + bucket,
                () -> client.bucketExists(
                        BucketExistsArgs.builder().bucket(bucket).build()));
    }

    /** Makes the bucket if it is not there. */
    public void ensureBucket() {
        call("bucket " + bucket, () -> {
            if (!bucketExists()) {
                client.makeBucket(MakeBucketArgs.builder().bucket(bucket).build());
            }
            return null;
        });
    }

    /** Empty when there is no such object. */
    public Optional<ObjectInfo> stat(String key) {
        return call(key, () -> {
            try {
                StatObjectResponse stat = client.statObject(
                        StatObjectArgs.builder().bucket(bucket).object(key).build());
                return Optional.of(new ObjectInfo(
                        key, stat.size(), stat.etag(), stat.lastModified().toInstant()));
            } catch (ErrorResponseException e) {
                if (e.response().code() == 404) {
                    return Optional.<ObjectInfo>empty();
                }
                throw e;
            }
        });
    }

    /** A small object whole. */
    public byte[] read(String key) {
        return call(key, () -> {
            try (InputStream in = open(key)) {
                return in.readAllBytes();
            }
        });
    }

    /** The caller closes the stream. */
    public InputStream open(String key) {
        return call(
                key,
                () -> client.getObject(
                        GetObjectArgs.builder().bucket(bucket).object(key).build()));
    }

    /** The bytes from {@code offset} on; the caller closes the stream. */
    public InputStream open(String key, long offset, long length) {
        return call(
                key,
                () -> client.getObject(GetObjectArgs.builder()
                        .bucket(bucket)
                        .object(key)
                        .offset(offset)
                        .length(length)
                        .build()));
    }

    /** Copies an object to a file, from its beginning again when the connection breaks. */
    public Stored fetch(String key, Path to) {
        return call(key, () -> {
            MessageDigest digest = Digest.sha256();
            try (InputStream in = new DigestInputStream(
                    client.getObject(
                            GetObjectArgs.builder().bucket(bucket).object(key).build()),
                    digest)) {
                long size = Files.copy(in, to, StandardCopyOption.REPLACE_EXISTING);
                return new Stored(key, size, HexFormat.of().formatHex(digest.digest()));
            } catch (FileSystemException e) {
                throw new UncheckedIOException(e); // the disk's trouble, not the store's
            }
        });
    }

    /** Writes or replaces an object. */
    public Stored put(String key, byte[] content) {
        return call(key, () -> put(key, new ByteArrayInputStream(content), content.length, Map.of()));
    }

    /** Writes or replaces an object, in parts when it is large. */
    public Stored put(String key, Path file) {
        return call(key, () -> {
            try (InputStream in = Files.newInputStream(file)) {
                return put(key, in, Files.size(file), Map.of());
            }
        });
    }

    /**
     * Writes an object whose length is not known before, in constant memory. The upload runs again from its beginning when
     * the store failed half-way.
     *
     * @throws RuntimeException what {@code upload} threw, in which case no object appears
     */
    public Stored putStream(String key, Upload upload) {
        return call(key, () -> {
            try (UploadPipe pipe = new UploadPipe(upload)) {
                return put(key, pipe, -1, Map.of());
            }
        });
    }

    /** False when the object is there already, whoever made it. */
    public boolean createIfAbsent(String key, byte[] content) {
        return conditional(key, content, Map.of("If-None-Match", "*")).isPresent();
    }

    /** The new ETag; empty when the object is no longer the one that had {@code etag}. */
    public Optional<String> replaceIfMatch(String key, byte[] content, String etag) {
        return conditional(key, content, Map.of("If-Match", "\"" + etag + "\""));
    }

    private Optional<String> conditional(String key, byte[] content, Map<String, String> headers) {
        int[] attempts = {0};
        return call(key, () -> {
            attempts[0]++;
            try {
                synchronized (CONDITIONAL_LOCK) {
                    return Optional.of(client.putObject(PutObjectArgs.builder().bucket(bucket).object(key).stream(
                                            new ByteArrayInputStream(content), content.length, -1)
                                    .extraHeaders(headers)
                                    .build())
                            .etag());
                }
            } catch (ErrorResponseException e) {
                if (e.response().code() != 412 && e.response().code() != 404) {
                    throw e;
                }
                // An earlier attempt may have been written although its answer was lost: then the condition fails on
                // our own content, and we have won.
                return attempts[0] > 1
                        ? stat(key)
                                .filter(there -> Arrays.equals(read(key), content))
                                .map(ObjectInfo::etag)
                        : Optional.<String>empty();
            }
        });
    }

    /** All objects whose key begins so. */
    public List<ObjectInfo> list(String prefix) {
        return call(prefix, () -> {
            List<ObjectInfo> objects = new ArrayList<>();
            for (Result<Item> result : client.listObjects(ListObjectsArgs.builder()
                    .bucket(bucket)
                    .prefix(prefix)
                    .recursive(true)
                    .build())) {
                Item item = result.get();
                objects.add(new ObjectInfo(
                        item.objectName(),
                        item.size(),
                        item.etag(),
                        item.lastModified().toInstant()));
            }
            return objects;
        });
    }

    /** Does nothing when there is no such object. */
    public void delete(String key) {
        call(key, () -> {
            client.removeObject(
                    RemoveObjectArgs.builder().bucket(bucket).object(key).build());
            return null;
        });
    }

    /** Deletes the manifest first, so that what is half deleted never looks complete. */
    public void deletePrefix(String prefix) {
        delete(Keys.manifest(prefix));
        list(prefix).forEach(object -> delete(object.key()));
    }

    private Stored put(String key, InputStream in, long size, Map<String, String> headers) throws Exception {
        MessageDigest digest = Digest.sha256();
        long[] count = {0};
        InputStream counted = new DigestInputStream(in, digest) {
            @Override
            public int read(byte[] buffer, int from, int length) throws IOException {
                int n = super.read(buffer, from, length);
                count[0] += Math.max(0, n);
                return n;
            }
        };
        client.putObject(
                PutObjectArgs.builder().bucket(bucket).object(key).stream(counted, size, size < 0 ? PART_BYTES : -1)
                        .extraHeaders(headers)
                        .build());
        return new Stored(key, count[0], HexFormat.of().formatHex(digest.digest()));
    }

    private <T> T call(String what, Call<T> call) {
        Instant deadline = Instant.now().plus(patience);
        for (int attempt = 1; ; attempt++) {
            try {
                return call.run();
            } catch (StoreException e) {
                throw e;
            } catch (ErrorResponseException e) {
                int status = e.response().code();
                if (status == 404) {
                    throw new ArtifactMissingException(what + " is not in the store");
                }
                if (status < 500 && status != 429 && status != 409) {
                    throw new StoreRefusedException(
                            what + ": the store answered " + status + " "
                                    + e.errorResponse().code()
                                    + "; check distillery.store.access-key, .secret-key and .bucket",
                            e);
                }
                pause(what, attempt, deadline, e);
            } catch (SSLHandshakeException | SSLPeerUnverifiedException e) {
                throw new StoreRefusedException(
                        what + ": the store's certificate is not trusted: " + e.getMessage()
                                + "; distillery.store.ca-file may name the PEM file of who signed it",
                        e);
            } catch (IOException | ServerException | InvalidResponseException | XmlParserException e) {
                pause(what, attempt, deadline, e);
            } catch (RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new StoreRefusedException(what + ": " + e.getMessage(), e);
            }
        }
    }

    /** Waits before the next attempt: twice as long each time, up to 15 s, with jitter so that clients spread. */
    private static void pause(String what, int attempt, Instant deadline, Exception e) {
        long millis = Math.min(100L << Math.min(attempt, 10), 15_000);
        millis = ThreadLocalRandom.current().nextLong(millis / 2, millis + 1);
        if (Instant.now().plusMillis(millis).isAfter(deadline)) {
            throw new StoreUnavailableException(what + ": the store does not answer: " + e.getMessage(), e);
        }
        if (attempt > 3) { // the first few are quick and common
            LOG.warn("waiting for the store key={} attempt={} reason={}", what, attempt, e.getMessage());
        }
        try {
            Thread.sleep(millis);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new StoreUnavailableException(what + ": interrupted while waiting for the store", e);
        }
    }
}
