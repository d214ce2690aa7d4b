package dev.distillery.embedded;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;

import io.minio.BucketExistsArgs;
import io.minio.GetObjectArgs;
import io.minio.MakeBucketArgs;
import io.minio.MinioClient;
import io.minio.PutObjectArgs;
import io.minio.errors.ErrorResponseException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class EmbeddedS3Test {
    private static final String BUCKET = "bucket";
    private static final Map<String, String> IF_ABSENT = Map.of("If-None-Match", "*");

    @TempDir
    Path dir;

    @Test
    void shouldKeepObjectsWhenStartedAgainOnTheSameFolder() throws Exception {
        // Given
        try (EmbeddedS3 s3 = EmbeddedS3.start(dir, 0, "id", "secret")) {
            put(client(s3, "secret"), "a/b.txt", "kept", Map.of());
        }

        // When
        byte[] content;
        try (EmbeddedS3 s3 = EmbeddedS3.start(dir, 0, "id", "secret")) {
            content = client(s3, "secret")
                    .getObject(GetObjectArgs.builder()
                            .bucket(BUCKET)
                            .object("a/b.txt")
                            .build())
                    .readAllBytes();
        }

        // Then
        assertThat(content).asString().isEqualTo("kept");
    }

    @Test
    void shouldLetExactlyOneWinWhenEightCreateTheSameObject() throws Exception {
        // Given
        ExecutorService eight = Executors.newFixedThreadPool(8);
        try (EmbeddedS3 s3 = EmbeddedS3.start(dir, 0, "id", "secret")) {
            MinioClient client = client(s3, "secret");
            for (int round = 0; round < 10; round++) {
                String key = "lease-" + round;

                // When
                long winners = eight
                        .invokeAll(IntStream.range(0, 8)
                                .<Callable<Boolean>>mapToObj(i -> () -> created(client, key, "from " + i))
                                .toList())
                        .stream()
                        .filter(EmbeddedS3Test::result)
                        .count();

                // Then
                assertThat(winners).as("winners of " + key).isEqualTo(1);
            }
        } finally {
            eight.shutdownNow();
        }
    }

    @Test
    void shouldRefuseWhenTheSecretIsWrong() {
        // Given
        try (EmbeddedS3 s3 = EmbeddedS3.start(dir, 0, "id", "secret")) {

            // When / Then
            assertThatThrownBy(() -> client(s3, "guess")).isInstanceOf(ErrorResponseException.class);
        }
    }

    private static MinioClient client(EmbeddedS3 s3, String secret) throws Exception {
        MinioClient client = MinioClient.builder()
                .endpoint(s3.endpoint())
                .region("us-east-1")
                .credentials("id", secret)
                .build();
        if (!client.bucketExists(BucketExistsArgs.builder().bucket(BUCKET).build())) {
            client.makeBucket(MakeBucketArgs.builder().bucket(BUCKET).build());
        }
        return client;
    }

    private static void put(MinioClient client, String key, String text, Map<String, String> headers) throws Exception {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        client.putObject(PutObjectArgs.builder().bucket(BUCKET).object(key).extraHeaders(headers).stream(
                        new ByteArrayInputStream(bytes), bytes.length, -1)
                .build());
    }

    private static boolean created(MinioClient client, String key, String text) throws Exception {
        try {
            put(client, key, text, IF_ABSENT);
            return true;
        } catch (ErrorResponseException e) {
            assertThat(e.response().code()).isEqualTo(412);
            return false;
        }
    }

    private static boolean result(Future<Boolean> future) {
        try {
            return future.get();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
