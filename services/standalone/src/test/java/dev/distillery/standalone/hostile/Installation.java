package dev.distillery.standalone.hostile;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.StoreConfig;
import dev.distillery.embedded.EmbeddedKafka;
import dev.distillery.embedded.EmbeddedS3;
import dev.distillery.events.Topic;
import dev.distillery.standalone.processes.ServiceProcesses;
import dev.distillery.standalone.processes.ServiceProcesses.Launch;

/** The four services as processes of their own, each with a small heap and folders of its own; all secrets are known words. */
final class Installation implements AutoCloseable {
    static final String HUB_TOKEN = "hf_canary8f1d2c";
    static final String STORE_KEY = "canary-store-7be0a4";

    private final Path root;
    private final EmbeddedKafka kafka;
    private final EmbeddedS3 s3;
    private final ArtifactStore store;
    private final ServiceProcesses services;

    /** @param readable folders that data-ingest may read */
    Installation(Path root, List<Path> readable) throws IOException {
        this.root = root;
        kafka = EmbeddedKafka.start(root.resolve("kafka"), 0);
        kafka.createTopics(
                Arrays.stream(Topic.values())
                        .map(topic -> topic.topic(Topic.DEFAULT_PREFIX))
                        .toList(),
                1);
        s3 = EmbeddedS3.start(root.resolve("s3"), 0, "canary", STORE_KEY);
        store = new ArtifactStore(new StoreConfig(s3.endpoint(), "us-east-1", "distillery", "canary", STORE_KEY));
        store.ensureBucket();
        services = new ServiceProcesses(root, (service, port) -> launch(service, port, readable));
    }

    private Launch launch(String service, int port, List<Path> readable) throws IOException {
        Files.createDirectories(temporary(service));
        return new Launch(
                List.of("-Xmx512m", "-Djava.io.tmpdir=" + temporary(service), "-Dai.djl.offline=true"),
                Map.of(
                        "KAFKA_BOOTSTRAP_SERVERS",
                        kafka.bootstrapServers(),
                        "DISTILLERY_STORE_ENDPOINT",
                        s3.endpoint(),
                        "DISTILLERY_STORE_ACCESS_KEY",
                        "canary",
                        "DISTILLERY_STORE_SECRET_KEY",
                        STORE_KEY,
                        "DISTILLERY_WORK_DIR",
                        work(service).toString(),
                        "DISTILLERY_SOURCES_FOLDERS",
                        String.join(",", readable.stream().map(Path::toString).toList()),
                        "HF_TOKEN",
                        HUB_TOKEN,
                        "HF_ENDPOINT",
                        "http://127.0.0.1:" + port, // answers 404 to all that a Hub is asked
                        "OMP_NUM_THREADS",
                        "1",
                        "QUARKUS_HTTP_PORT",
                        Integer.toString(port)));
    }

    boolean healthy(String service) {
        return services.healthy(service);
    }

    List<String> services() {
        return ServiceProcesses.NAMES;
    }

    String kafka() {
        return kafka.bootstrapServers();
    }

    ArtifactStore store() {
        return store;
    }

    Path log(String service) {
        return root.resolve(service + ".log");
    }

    Path work(String service) {
        return root.resolve("work").resolve(service);
    }

    Path temporary(String service) {
        return root.resolve("tmp").resolve(service);
    }

    @Override
    public void close() {
        services.close();
        kafka.close();
        s3.close();
    }
}
