package dev.distillery.standalone.processes;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.StoreConfig;
import dev.distillery.artifacts.StoreRefusedException;
import dev.distillery.monitoring.Metric;
import dev.distillery.standalone.installation.Cli;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.abort;

/**
 * A run through four services as processes, on the embedded parts, on Kafka and MinIO themselves with TLS, passwords,
 * certificates and least rights, and on containers; driven by the command line, watched by Prometheus.
 */
@Timeout(900)
class ProcessesIT {
    private static final Path EXAMPLES = Path.of("../../deploy/examples");
    private static final Path DASHBOARDS = Path.of("../../deploy/helm/distillery/files/monitoring/dashboards");

    /** Where broker and store are. */
    enum Kind {
        EMBEDDED(() -> true, dir -> new EmbeddedBackend(), ""),
        SECURED(SecuredBackend::isPossible, SecuredBackend::new, "minio or helm is not installed"),
        CONTAINERS(ContainersBackend::isPossible, dir -> new ContainersBackend(), "there is no Docker daemon");

        private final BooleanSupplier possible;
        private final Start start;
        private final String why;

        Kind(BooleanSupplier possible, Start start, String why) {
            this.possible = possible;
            this.start = start;
            this.why = why;
        }

        private interface Start {
            Backend in(Path dir) throws Exception;
        }
    }

    @TempDir
    Path dir;

    @ParameterizedTest
    @EnumSource
    void shouldTakeARunFromItsRequestToItsWeights(Kind kind) throws Exception {
        // Given
        if (!kind.possible.getAsBoolean()) {
            System.out.println("An installation on parts of kind " + kind + ": skipped, " + kind.why);
            abort(kind.why);
        }
        try (Backend backend = kind.start.in(dir);
                Installed distillery = new Installed(dir.resolve("installed"), backend, EXAMPLES.toRealPath());
                Watch watch = new Watch(dir.resolve("prometheus"), distillery.ports())) {
            Cli cli = distillery.cli("client");

            // When
            int submitted = cli.run("submit", "-f", request("small-run", 24), "--follow");

            // Then
            assertThat(submitted).as(cli.out() + cli.err() + said(distillery)).isZero();
            assertThat(cli.run("run", "small-run", "-o", "json")).isZero();
            assertThat(cli.json().path("state").asText()).isEqualTo("completed");
            Path out = dir.resolve("out");
            assertThat(cli.run("fetch", "small-run", "--out", out.toString()))
                    .as(cli.err())
                    .isZero();
            assertThat(out.resolve("model/unet/diffusion_pytorch_model.safetensors"))
                    .exists();
            watch.requireEveryMetric();
            watch.requireEveryPanel("small-run");

            logsSayWhatTheyAreAbout(distillery);
            oneTraceGoesThroughAllServices(distillery);

            controlsTakeEffect(cli);
            deadLettersAreKeptAndSentAgain(distillery);
            watch.requireAlert("DistilleryDeadLetters");
            if (backend.restricts()) {
                nobodyMayMoreThanItNeeds(backend);
                wrongPasswordsEndAServiceInALine(distillery);
                anUnknownAuthorityIsSaid(distillery);
                noSecretIsSaid(distillery);
            }
        }
    }

    private static void logsSayWhatTheyAreAbout(Installed distillery) throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        for (String line : distillery.said("trainer").lines().toList()) {
            lines.add(new ObjectMapper().readTree(line));
        }
        assertThat(lines)
                .anyMatch(line -> line.at("/mdc/run").asText().equals("small-run")
                        && line.at("/mdc/stage").asText().equals("train"));
    }

    private static void oneTraceGoesThroughAllServices(Installed distillery) {
        Set<String> traces = new TreeSet<>();
        Map<String, Object> client = new HashMap<>(distillery.kafka("operator"));
        try (var consumer = new KafkaConsumer<>(client, new StringDeserializer(), new StringDeserializer())) {
            String topic = "distillery.run-events";
            List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                    .map(p -> new TopicPartition(topic, p.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.get(p))) {
                consumer.poll(Duration.ofMillis(200)).forEach(record -> record.headers()
                        .headers("traceparent")
                        .forEach(header -> traces.add(new String(header.value()).split("-")[1])));
            }
        }
        assertThat(traces).hasSize(1);
        for (String service : ServiceProcesses.NAMES) {
            await().atMost(Duration.ofMinutes(1))
                    .until(() -> distillery.collector().heardOf(service));
        }
    }

    private void controlsTakeEffect(Cli cli) throws IOException {
        cli.run("submit", "-f", request("long-run", 100_000));
        awaitState(cli, "long-run", "training");
        cli.run("pause", "long-run");
        awaitState(cli, "long-run", "paused");
        cli.run("resume", "long-run");
        awaitState(cli, "long-run", "training");
        cli.run("cancel", "long-run");
        awaitState(cli, "long-run", "cancelled");
    }

    private static void awaitState(Cli cli, String run, String state) {
        await().atMost(Duration.ofMinutes(2))
                .pollInterval(Duration.ofMillis(500))
                .until(() -> {
                    cli.run("run", run, "-o", "json");
                    return cli.json().path("state").asText().equals(state);
                });
    }

    private void deadLettersAreKeptAndSentAgain(Installed distillery) throws Exception {
        Cli cli = distillery.cli("operator");
        cli.run("dead-letters", "list", "-o", "json");
        int before = cli.json().size();
        Path broken = Files.writeString(dir.resolve("broken.json"), "{\"run\": \"../up\"}");
        send(distillery, "distillery.train-requests", Files.readString(broken));
        await().atMost(Duration.ofMinutes(1))
                .pollInterval(Duration.ofMillis(500))
                .until(() -> {
                    cli.run("dead-letters", "list", "-o", "json");
                    return cli.json().size() == before + 1;
                });
        assertThat(cli.run("dead-letters", "replay", "--all")).as(cli.err()).isZero();
    }

    private void send(Installed distillery, String topic, String value) throws Exception {
        Map<String, Object> client = new HashMap<>(distillery.kafka("client"));
        try (var producer = new KafkaProducer<>(client, new StringSerializer(), new StringSerializer())) {
            producer.send(new ProducerRecord<>(topic, "x", value)).get();
        }
    }

    private static void nobodyMayMoreThanItNeeds(Backend backend) throws Exception {
        ArtifactStore ingest = store(backend, "data-ingest");
        ArtifactStore trainer = store(backend, "trainer");
        ArtifactStore converter = store(backend, "converter");
        ArtifactStore client = store(backend, "client");
        String checkpoint = trainer.list("runs/small-run/checkpoints/").stream()
                .filter(object -> object.key().endsWith("manifest.json"))
                .findFirst()
                .orElseThrow()
                .key();
        String dataset = ingest.list("datasets/").stream()
                .filter(object -> object.key().endsWith("manifest.json"))
                .findFirst()
                .orElseThrow()
                .key();
        byte[] mine = {'m'};
        assertRefused(() -> ingest.read(checkpoint));
        assertRefused(() -> ingest.put(checkpoint, mine));
        assertRefused(() -> ingest.delete(checkpoint));
        assertRefused(() -> trainer.put(dataset, mine));
        assertRefused(() -> trainer.delete(dataset));
        assertRefused(() -> converter.put(checkpoint, mine));
        assertRefused(() -> converter.delete(dataset));
        assertRefused(() -> ingest.delete(dataset));
        assertRefused(() -> client.put("queue/small-run.json", mine));
        assertRefused(() -> client.read(dataset));

        Map<String, Object> kafka = new HashMap<>(Installed.kafka(backend, "trainer"));
        try (var producer = new KafkaProducer<>(kafka, new StringSerializer(), new StringSerializer())) {
            assertThatThrownBy(() -> producer.send(new ProducerRecord<>("distillery.train-requests", "x", "{}"))
                            .get())
                    .hasCauseInstanceOf(TopicAuthorizationException.class);
        }
    }

    private static void assertRefused(Runnable deed) {
        assertThatThrownBy(deed::run).isInstanceOf(StoreRefusedException.class).hasMessageContaining("403");
    }

    private static ArtifactStore store(Backend backend, String part) {
        Map<String, String> environment = backend.environment(part);
        return new ArtifactStore(new StoreConfig(
                environment.get("DISTILLERY_STORE_ENDPOINT"),
                "us-east-1",
                "distillery",
                environment.get("DISTILLERY_STORE_ACCESS_KEY"),
                environment.get("DISTILLERY_STORE_SECRET_KEY"),
                Duration.ofSeconds(20),
                Optional.of(Path.of(environment.get("DISTILLERY_STORE_CA_FILE")))));
    }

    private static void wrongPasswordsEndAServiceInALine(Installed distillery) throws Exception {
        Map<String, Map<String, String>> wrong = Map.of(
                "Kafka at ",
                Map.of(
                        "KAFKA_SASL_JAAS_CONFIG",
                        "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"distillery-trainer\""
                                + " password=\"wrong-password\";"),
                "The store at ",
                Map.of("DISTILLERY_STORE_SECRET_KEY", "wrong-password"));
        for (Map.Entry<String, Map<String, String>> setting : wrong.entrySet()) {
            try (Program service = distillery.start("latent-encoding", setting.getValue())) {
                assertThat(service.exitCode()).isEqualTo(1);
                assertThat(service.said())
                        .contains(setting.getKey())
                        .contains("does not let this service in")
                        .doesNotContain("wrong-password", "\tat ");
            }
            Cli cli = distillery.cli("client");
            setting.getValue()
                    .forEach((name, value) -> cli.env(name.startsWith("KAFKA_") ? "DISTILLERY_" + name : name, value));
            assertThat(cli.run("submit", "-f", EXAMPLES.resolve("request.yaml").toString()) + cli.run("runs"))
                    .isGreaterThanOrEqualTo(1);
            assertThat(cli.err()).doesNotContain("wrong-password", "\tat ");
        }
    }

    private static void anUnknownAuthorityIsSaid(Installed distillery) {
        Cli cli = distillery.cli("client").env("DISTILLERY_STORE_CA_FILE", "");
        assertThat(cli.run("run", "small-run")).isEqualTo(1);
        assertThat(cli.err()).contains("certificate is not trusted").doesNotContain("\tat ");
    }

    private static void noSecretIsSaid(Installed distillery) {
        for (String service : ServiceProcesses.NAMES) {
            assertThat(distillery.said(service)).doesNotContain("kafka-password-of", "store-secret-of", "PRIVATE KEY");
        }
    }

    private static String said(Installed distillery) {
        StringBuilder all = new StringBuilder();
        for (String service : ServiceProcesses.NAMES) {
            List<String> lines = distillery.said(service).lines().toList();
            all.append("\n--- ").append(service).append('\n');
            lines.subList(Math.max(0, lines.size() - 30), lines.size())
                    .forEach(line -> all.append(line).append('\n'));
        }
        return all.toString();
    }

    /** Some pairs have too short a caption: what is skipped is seen too. */
    private String request(String run, int steps) throws IOException {
        return Files.writeString(
                        dir.resolve(run + ".yaml"),
                        """
                        run: %s
                        teacher: {model: "%s"}
                        dataset: {source: "%s", limit: 60, filter: {captionLength: {min: 12}}}
                        encode: {resolution: 64, crop: center}
                        train:
                          steps: %d
                          batch: 4
                          precision: fp32
                          optimizer: {type: adamw, learningRate: 3.0e-4}
                          ema: {decay: 0.99}
                          gradientCheckpointing: false
                          checkpoint: {everySteps: 8, keep: 2}
                        samples: {prompts: ["red heart"], size: 64, steps: 2}
                        convert: {dtype: fp16}
                        evaluate: {images: 2, steps: 1}
                        """
                                .formatted(
                                        run,
                                        EXAMPLES.resolve("mini-sdxl")
                                                .toRealPath()
                                                .toUri(),
                                        EXAMPLES.resolve("noto-emoji")
                                                .toRealPath()
                                                .toUri(),
                                        steps))
                .toString();
    }

    /** Prometheus, where it is installed. */
    private static final class Watch implements AutoCloseable {
        private final Prometheus prometheus;

        Watch(Path dir, Map<String, Integer> ports) throws IOException {
            prometheus = Prometheus.isInstalled() ? new Prometheus(dir, ports) : null;
            if (prometheus == null) {
                System.out.println("Metrics and panels: skipped, prometheus is not installed");
            }
        }

        void requireEveryMetric() throws Exception {
            if (prometheus == null) {
                return;
            }
            Set<String> expected = new TreeSet<>();
            for (Metric metric : Metric.values()) {
                List<String> suffixes =
                        switch (metric.kind()) {
                            case COUNTER, GAUGE -> List.of("");
                            case SUMMARY -> List.of("_count", "_sum", "_max");
                            case HISTOGRAM -> List.of("_count", "_sum", "_max", "_bucket");
                        };
                suffixes.forEach(suffix -> expected.add(metric.prometheusName() + suffix));
            }
            assertThat(prometheus.names()).isEqualTo(expected);
        }

        void requireEveryPanel(String run) throws Exception {
            if (prometheus == null) {
                return;
            }
            List<String> empty = new ArrayList<>();
            try (Stream<Path> files = Files.list(DASHBOARDS)) {
                for (Path file : files.sorted().toList()) {
                    for (JsonNode panel :
                            new ObjectMapper().readTree(file.toFile()).path("panels")) {
                        for (JsonNode target : panel.path("targets")) {
                            String expression = target.path("expr")
                                    .asText()
                                    .replace("$run", run)
                                    .replace("$instance", ".*")
                                    .replace("$__rate_interval", "5s")
                                    .replace("$__range", "10m");
                            if (prometheus.values(expression) == 0) {
                                empty.add(file.getFileName() + ", "
                                        + panel.path("title").asText() + ": " + expression);
                            }
                        }
                    }
                }
            }
            assertThat(empty).isEmpty();
        }

        void requireAlert(String name) {
            if (prometheus != null) {
                await().atMost(Duration.ofMinutes(1))
                        .until(() -> prometheus.alerts().contains(name));
            }
        }

        @Override
        public void close() {
            if (prometheus != null) {
                prometheus.close();
            }
        }
    }
}
