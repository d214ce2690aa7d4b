package dev.distillery.standalone.processes;

import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;

import dev.distillery.embedded.Ports;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.Uuid;

/**
 * Kafka's own server as a process, which lets in who has a password (SASL_SSL, SCRAM-SHA-512) or a certificate (SSL), and lets
 * them do what an access list says.
 */
final class KafkaServer implements AutoCloseable {
    private static final String ADMIN = "admin";

    private final Certificates certificates;
    private final int passwordPort = Ports.free();
    private final int certificatePort = Ports.free();
    private final Program program;

    /** @param users passwords by name */
    KafkaServer(Path dir, Certificates certificates, Map<String, String> users) throws Exception {
        this.certificates = certificates;
        Path settings = write(dir, settings(dir, certificates));
        List<String> format =
                new ArrayList<>(List.of("format", "-t", Uuid.randomUuid().toString(), "-c", settings.toString()));
        users.forEach((name, password) ->
                format.addAll(List.of("--add-scram", "SCRAM-SHA-512=[name=" + name + ",password=" + password + "]")));
        format.addAll(List.of("--add-scram", "SCRAM-SHA-512=[name=" + ADMIN + ",password=" + ADMIN + "]"));
        Program.java(dir.resolve("format.log"), "kafka.tools.StorageTool", format)
                .requireDone();
        program = Program.java(dir.resolve("kafka.log"), "kafka.Kafka", List.of(settings.toString()));
        try (Admin admin = admin()) {
            admin.describeCluster().nodes().get(60, TimeUnit.SECONDS);
        }
    }

    private Properties settings(Path dir, Certificates certificates) throws Exception {
        int controller = Ports.free();
        Properties p = new Properties();
        p.putAll(Map.of(
                "process.roles",
                "broker,controller",
                "node.id",
                "1",
                "controller.quorum.voters",
                "1@localhost:" + controller,
                "controller.listener.names",
                "CONTROLLER",
                "listeners",
                "PASSWORD://localhost:" + passwordPort + ",CERTIFICATE://localhost:" + certificatePort
                        + ",CONTROLLER://localhost:" + controller,
                "listener.security.protocol.map",
                "PASSWORD:SASL_SSL,CERTIFICATE:SSL,CONTROLLER:PLAINTEXT",
                "inter.broker.listener.name",
                "PASSWORD",
                "log.dirs",
                dir.resolve("data").toString(),
                "auto.create.topics.enable",
                "false",
                "group.initial.rebalance.delay.ms",
                "0"));
        p.putAll(Map.of(
                "offsets.topic.replication.factor", "1",
                "offsets.topic.num.partitions", "4",
                "transaction.state.log.replication.factor", "1",
                "transaction.state.log.min.isr", "1",
                "share.coordinator.state.topic.replication.factor", "1",
                "share.coordinator.state.topic.min.isr", "1"));
        p.putAll(Map.of(
                "sasl.enabled.mechanisms",
                "SCRAM-SHA-512",
                "sasl.mechanism.inter.broker.protocol",
                "SCRAM-SHA-512",
                "listener.name.password.scram-sha-512.sasl.jaas.config",
                login(ADMIN, ADMIN),
                "listener.name.certificate.ssl.client.auth",
                "required",
                "ssl.keystore.location",
                certificates.keyStore("kafka").toString(),
                "ssl.keystore.password",
                Certificates.PASSWORD,
                "ssl.truststore.location",
                certificates.authority().toString(),
                "ssl.truststore.type",
                "PEM",
                "authorizer.class.name",
                "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "super.users",
                "User:" + ADMIN + ";User:ANONYMOUS")); // the controller, which no one else reaches
        return p;
    }

    private static Path write(Path dir, Properties settings) throws IOException {
        Path file = Files.createDirectories(dir).resolve("server.properties");
        try (Writer out = Files.newBufferedWriter(file)) {
            settings.store(out, null);
        }
        return file;
    }

    /** Settings of Kafka's clients, by password. */
    Map<String, String> client(String user, String password) {
        return Map.of(
                "bootstrap.servers",
                "localhost:" + passwordPort,
                "security.protocol",
                "SASL_SSL",
                "sasl.mechanism",
                "SCRAM-SHA-512",
                "sasl.jaas.config",
                login(user, password),
                "ssl.truststore.type",
                "PEM",
                "ssl.truststore.location",
                certificates.authority().toString());
    }

    /** Settings of Kafka's clients, by certificate; its principal is {@code CN=name}. */
    Map<String, String> client(String name) throws Exception {
        certificates.keyStore(name);
        return Map.of(
                "bootstrap.servers",
                "localhost:" + certificatePort,
                "security.protocol",
                "SSL",
                "ssl.keystore.type",
                "PEM",
                "ssl.keystore.certificate.chain",
                certificates.certificate(name),
                "ssl.keystore.key",
                certificates.key(name),
                "ssl.truststore.type",
                "PEM",
                "ssl.truststore.certificates",
                Files.readString(certificates.authority()));
    }

    Admin admin() {
        return Admin.create(Map.copyOf(client(ADMIN, ADMIN)));
    }

    private static String login(String user, String password) {
        return "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"%s\" password=\"%s\";"
                .formatted(user, password);
    }

    @Override
    public void close() {
        program.close();
    }
}
