package dev.distillery.standalone.processes;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

import org.apache.kafka.clients.admin.Admin;

/**
 * Kafka and MinIO themselves, as processes over TLS with an authority of their own, where each part may do no more than the
 * Helm chart's rights say. The converter shows its certificate, the others have a password.
 */
final class SecuredBackend implements Backend {
    private static final String BY_CERTIFICATE = "converter";

    private final Certificates certificates;
    private final KafkaServer kafka;
    private final MinioServer minio;

    SecuredBackend(Path dir) throws Exception {
        certificates = new Certificates(dir.resolve("certificates"));
        Rights rights = Rights.rendered(BY_CERTIFICATE);
        minio = new MinioServer(dir.resolve("minio"), certificates);
        Map<String, String> users = new HashMap<>();
        for (Map.Entry<String, String> policy : rights.policies().entrySet()) {
            minio.addUser(policy.getKey(), storeSecret(policy.getKey()), policy.getValue());
            users.put(user(policy.getKey()), kafkaPassword(policy.getKey()));
        }
        kafka = new KafkaServer(dir.resolve("kafka"), certificates, users);
        try (Admin admin = kafka.admin()) {
            admin.createAcls(rights.acls()).all().get();
        }
    }

    static boolean isPossible() {
        return Program.isInstalled("minio") && Program.isInstalled("helm");
    }

    private static String user(String part) {
        return "distillery-" + part;
    }

    private static String kafkaPassword(String part) {
        return "kafka-password-of-" + part;
    }

    private static String storeSecret(String part) {
        return "store-secret-of-" + part;
    }

    @Override
    public Map<String, String> environment(String part) {
        Map<String, String> environment = new HashMap<>(Map.of(
                "DISTILLERY_STORE_ENDPOINT", minio.endpoint(),
                "DISTILLERY_STORE_CA_FILE", certificates.authority().toString(),
                "DISTILLERY_STORE_ACCESS_KEY", part,
                "DISTILLERY_STORE_SECRET_KEY", storeSecret(part)));
        kafka(part)
                .forEach((name, value) ->
                        environment.put("KAFKA_" + name.toUpperCase(Locale.ROOT).replace('.', '_'), value));
        return environment;
    }

    private Map<String, String> kafka(String part) {
        try {
            return part.equals(BY_CERTIFICATE) ? kafka.client(part) : kafka.client(user(part), kafkaPassword(part));
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public boolean restricts() {
        return true;
    }

    @Override
    public void close() {
        kafka.close();
        minio.close();
    }
}
