package dev.distillery.standalone.processes;

import java.util.Map;

import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.MinIOContainer;
import org.testcontainers.kafka.KafkaContainer;
import org.testcontainers.lifecycle.Startables;

/** The images that docker-compose.yml has, open to all; where there is a Docker daemon. */
final class ContainersBackend implements Backend {
    private final KafkaContainer kafka = new KafkaContainer("apache/kafka:4.1.1");
    private final MinIOContainer minio = new MinIOContainer("minio/minio:RELEASE.2025-04-22T22-12-26Z");

    ContainersBackend() {
        Startables.deepStart(kafka, minio).join();
    }

    static boolean isPossible() {
        return DockerClientFactory.instance().isDockerAvailable();
    }

    @Override
    public Map<String, String> environment(String part) {
        return Map.of(
                "KAFKA_BOOTSTRAP_SERVERS", kafka.getBootstrapServers(),
                "DISTILLERY_STORE_ENDPOINT", minio.getS3URL(),
                "DISTILLERY_STORE_ACCESS_KEY", minio.getUserName(),
                "DISTILLERY_STORE_SECRET_KEY", minio.getPassword());
    }

    @Override
    public boolean restricts() {
        return false;
    }

    @Override
    public void close() {
        kafka.stop();
        minio.stop();
    }
}
