package dev.distillery.standalone.processes;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

import dev.distillery.embedded.Ports;
import io.minio.admin.MinioAdminClient;
import io.minio.admin.UserInfo;
import io.minio.http.HttpUtils;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;

import static org.awaitility.Awaitility.await;

/** MinIO's own server as a process, over TLS. */
final class MinioServer implements AutoCloseable {
    private static final String ROOT = "minio-root";
    private static final long MILLIS = 10_000;

    private final String endpoint;
    private final Program program;
    private final MinioAdminClient admin;

    MinioServer(Path dir, Certificates certificates) throws Exception {
        Path keys = Files.createDirectories(dir.resolve("certs"));
        certificates.keyStore("minio");
        Files.writeString(keys.resolve("public.crt"), certificates.certificate("minio"));
        Files.writeString(keys.resolve("private.key"), certificates.key("minio"));
        int port = Ports.free();
        endpoint = "https://127.0.0.1:" + port;
        program = Program.start(
                dir.resolve("minio.log"),
                Map.of("MINIO_ROOT_USER", ROOT, "MINIO_ROOT_PASSWORD", ROOT),
                List.of(
                        "minio",
                        "server",
                        dir.resolve("data").toString(),
                        "--address",
                        "127.0.0.1:" + port,
                        "--certs-dir",
                        keys.toString()));
        OkHttpClient http = HttpUtils.enableExternalCertificates(
                HttpUtils.newDefaultHttpClient(MILLIS, MILLIS, MILLIS),
                certificates.authority().toString());
        await().atMost(Duration.ofMinutes(1)).ignoreExceptions().until(() -> {
            try (Response ready = http.newCall(new Request.Builder()
                            .url(endpoint + "/minio/health/ready")
                            .build())
                    .execute()) {
                return ready.isSuccessful();
            }
        });
        admin = MinioAdminClient.builder()
                .endpoint(endpoint)
                .credentials(ROOT, ROOT)
                .httpClient(http)
                .build();
    }

    String endpoint() {
        return endpoint;
    }

    /** @param policy JSON of what the user may do */
    void addUser(String name, String secretKey, String policy) throws Exception {
        admin.addCannedPolicy(name, policy);
        admin.addUser(name, UserInfo.Status.ENABLED, secretKey, null, null);
        admin.setPolicy(name, false, name);
    }

    @Override
    public void close() {
        program.close();
    }
}
