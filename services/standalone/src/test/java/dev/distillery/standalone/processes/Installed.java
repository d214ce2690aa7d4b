package dev.distillery.standalone.processes;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

import dev.distillery.standalone.installation.Cli;
import dev.distillery.standalone.processes.ServiceProcesses.Launch;

/** Distillery installed on a backend: set up as the chart does it, a process for each service, and the command line. */
final class Installed implements AutoCloseable {
    private static final List<String> JVM = List.of("-Xmx768m");

    private final Path dir;
    private final Backend backend;
    private final Collector collector = new Collector();
    private final ServiceProcesses services;

    Installed(Path dir, Backend backend, Path mayBeRead) throws Exception {
        this.dir = Files.createDirectories(dir);
        this.backend = backend;
        for (String task : List.of("topics", "bucket", "check")) {
            setup(task).requireDone();
        }
        services = new ServiceProcesses(
                dir,
                (service, port) -> launch(service, port, Map.of("DISTILLERY_SOURCES_FOLDERS", mayBeRead.toString())));
    }

    private Program setup(String task) throws IOException {
        Map<String, String> environment = new HashMap<>(backend.environment("setup"));
        environment.put("DISTILLERY_TOPICS_PARTITIONS", "2");
        environment.put("DISTILLERY_TOPICS_REPLICAS", "1");
        return Program.service(
                dir.resolve("setup-" + task + ".log"), "data-ingest", new Launch(JVM, environment), "setup", task);
    }

    /**
     * One more process of a service.
     *
     * @param more environment, which wins
     */
    Program start(String service, Map<String, String> more) throws IOException {
        return Program.service(
                Files.createTempFile(dir, "another-" + service, ".log"), service, launch(service, 0, more));
    }

    private Launch launch(String service, int port, Map<String, String> more) {
        Map<String, String> environment = new HashMap<>(backend.environment(service));
        environment.put("QUARKUS_HTTP_PORT", String.valueOf(port));
        environment.put("DISTILLERY_WORK_DIR", dir.resolve("work-" + service).toString());
        environment.put("DISTILLERY_BACKLOG_EVERY", "1s");
        environment.put("QUARKUS_LOG_CONSOLE_JSON_ENABLED", "true");
        environment.put("QUARKUS_OTEL_SDK_DISABLED", "false");
        environment.put("QUARKUS_OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint());
        environment.put("QUARKUS_OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");
        environment.put("AI_DJL_OFFLINE", "true");
        environment.putAll(more);
        return new Launch(JVM, environment);
    }

    Collector collector() {
        return collector;
    }

    Map<String, Integer> ports() {
        return services.ports();
    }

    /** What a service said. */
    String said(String service) {
        return services.said(service);
    }

    /** Settings of Kafka's clients with the rights of a part. */
    Map<String, String> kafka(String part) {
        return kafka(backend, part);
    }

    static Map<String, String> kafka(Backend backend, String part) {
        Map<String, String> client = new HashMap<>();
        backend.environment(part).forEach((name, value) -> {
            if (name.startsWith("KAFKA_")) {
                client.put(
                        name.substring("KAFKA_".length())
                                .toLowerCase(Locale.ROOT)
                                .replace('_', '.'),
                        value);
            }
        });
        return client;
    }

    /** The command line with the rights of a part. */
    Cli cli(String part) {
        Cli cli = Cli.without(dir);
        backend.environment(part)
                .forEach((name, value) -> cli.env(name.startsWith("KAFKA_") ? "DISTILLERY_" + name : name, value));
        return cli;
    }

    @Override
    public void close() {
        services.close();
        collector.close();
    }
}
