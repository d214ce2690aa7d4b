package dev.distillery.embedded;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ExecutionException;

import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.MetadataVersion;

/**
 * An Apache Kafka broker of one node (KRaft, broker and controller in one) on a folder. Started again on the same folder, it has its
 * topics, records and committed offsets, after a kill as well.
 */
public final class EmbeddedKafka implements AutoCloseable {

    private final KafkaRaftServer server;
    private final int port;

    private EmbeddedKafka(KafkaRaftServer server, int port) {
        this.server = server;
        this.port = port;
    }

    /**
     * Starts a broker that listens on localhost.
     *
     * @param dir the broker's data; made and formatted when it is new
     * @param port 0 for any free port
     * @throws EmbeddedException when the port is taken or the folder cannot be used; the message says which
     */
    public static EmbeddedKafka start(Path dir, int port) {
        int brokerPort = port == 0 ? Ports.free() : Ports.requireFree("Kafka", port);
        try {
            Files.createDirectories(dir);
            if (!Files.exists(dir.resolve("meta.properties"))) {
                format(dir);
            }
            KafkaRaftServer server =
                    new KafkaRaftServer(new KafkaConfig(settings(dir, brokerPort, Ports.free()), false), Time.SYSTEM);
            server.startup();
            return new EmbeddedKafka(server, brokerPort);
        } catch (IOException e) {
            throw new EmbeddedException("The Kafka folder " + dir + " cannot be written: " + e, e);
        } catch (Exception e) {
            throw new EmbeddedException("Kafka did not start on the folder " + dir + ": " + e.getMessage(), e);
        }
    }

    private static Properties settings(Path dir, int port, int controllerPort) {
        Properties p = new Properties();
        p.putAll(Map.of(
                "process.roles", "broker,controller",
                "node.id", "1",
                "controller.quorum.voters", "1@localhost:" + controllerPort,
                "controller.listener.names", "CONTROLLER",
                "listeners", "PLAINTEXT://localhost:" + port + ",CONTROLLER://localhost:" + controllerPort,
                "advertised.listeners", "PLAINTEXT://localhost:" + port,
                "inter.broker.listener.name", "PLAINTEXT",
                "listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
                "log.dirs", dir.toString(),
                "auto.create.topics.enable", "false"));
        // one node: nothing to replicate to, no members to wait for
        p.putAll(Map.of(
                "group.initial.rebalance.delay.ms", "0",
                "offsets.topic.replication.factor", "1",
                "offsets.topic.num.partitions", "4",
                "transaction.state.log.replication.factor", "1",
                "transaction.state.log.min.isr", "1",
                "transaction.state.log.num.partitions", "4",
                "share.coordinator.state.topic.replication.factor", "1",
                "share.coordinator.state.topic.min.isr", "1"));
        // a guest in someone else's JVM: the defaults take 128 MiB of heap for the cleaner and some twenty threads
        p.putAll(Map.of(
                "log.cleaner.dedupe.buffer.size", "4194304",
                "log.index.size.max.bytes", "1048576",
                "num.network.threads", "2",
                "num.io.threads", "2",
                "background.threads", "2"));
        return p;
    }

    private static void format(Path dir) throws Exception {
        Formatter formatter = new Formatter()
                .setPrintStream(new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8))
                .setClusterId(Uuid.randomUuid().toString())
                .setNodeId(1)
                .setUnstableFeatureVersionsEnabled(false)
                .setReleaseVersion(MetadataVersion.latestProduction())
                .setIgnoreFormatted(true)
                .setControllerListenerName("CONTROLLER")
                .setMetadataLogDirectory(dir.toString());
        formatter.addDirectory(dir.toString());
        formatter.run();
    }

    /** {@code host:port}, for clients' {@code bootstrap.servers}. */
    public String bootstrapServers() {
        return "localhost:" + port;
    }

    /** Makes those topics that are not there yet. */
    public void createTopics(int partitions, String... names) {
        createTopics(List.of(names), partitions);
    }

    /** Makes those topics that are not there yet. */
    public void createTopics(Collection<String> names, int partitions) {
        try (Admin admin = Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers()))) {
            Set<String> there = admin.listTopics().names().get();
            admin.createTopics(names.stream()
                            .filter(name -> !there.contains(name))
                            .map(name -> new NewTopic(name, partitions, (short) 1))
                            .toList())
                    .all()
                    .get();
        } catch (ExecutionException e) {
            if (!(e.getCause() instanceof TopicExistsException)) {
                throw new EmbeddedException("The topics " + names + " cannot be made: " + e.getCause(), e.getCause());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EmbeddedException("Interrupted while the topics " + names + " were made", e);
        }
    }

    /** Stops the broker. Close its clients first: a consumer that cannot leave its group is waited for at the next start. */
    @Override
    public void close() {
        server.shutdown();
        server.awaitShutdown();
    }
}
