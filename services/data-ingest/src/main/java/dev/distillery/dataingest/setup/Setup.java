package dev.distillery.dataingest.setup;

import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

import dev.distillery.artifacts.StoreConfig;
import dev.distillery.events.Topic;
import org.eclipse.microprofile.config.Config;

/**
 * {@code setup topics|bucket|check}: makes what an installation needs, or says what it lacks. Reads the services' own settings.
 * Exit codes: 0 done, 1 failed, 2 bad arguments.
 */
public final class Setup {
    /** Whoever waits for a task wants to know soon. */
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private static final String USAGE =
            """
            Usage: setup topics   makes the topics, with distillery.topics.partitions (8) and .replicas (the broker's default)
                   setup bucket   makes the bucket
                   setup check    says whether topics and bucket are there and can be used""";

    private final Config config;
    private final PrintStream out;

    private Setup(Config config, PrintStream out) {
        this.config = config;
        this.out = out;
    }

    /** Does one of the tasks. */
    public static int run(Config config, List<String> tasks, PrintStream out, PrintStream err) {
        if (tasks.size() != 1) {
            err.println(USAGE);
            return 2;
        }
        try {
            return new Setup(config, out).run(tasks.get(0), err);
        } catch (SetupException e) {
            err.println(e.getMessage());
            return 1;
        } catch (IllegalArgumentException e) {
            err.println(e.getMessage()); // a setting of the wrong type, with its name and value
            return 2;
        }
    }

    private int run(String task, PrintStream err) throws SetupException {
        switch (task) {
            case "topics" -> makeTopics();
            case "bucket" -> makeBucket();
            case "check" -> check();
            default -> {
                err.println("The task must be topics, bucket or check but was '" + task + "'\n" + USAGE);
                return 2;
            }
        }
        return 0;
    }

    private void makeTopics() throws SetupException {
        int partitions = config.getOptionalValue("distillery.topics.partitions", Integer.class)
                .orElse(8);
        Optional<Short> replicas = config.getOptionalValue("distillery.topics.replicas", Short.class);
        try (Topics topics = topics()) {
            List<String> made = topics.make(partitions, replicas);
            out.println(made.isEmpty() ? "All topics are there." : "Made " + String.join(", ", made));
        }
    }

    private void makeBucket() throws SetupException {
        StoreConfig store = store();
        new Bucket(store).make();
        out.println("The bucket is there: " + store);
    }

    private void check() throws SetupException {
        try (Topics topics = topics()) {
            List<String> missing = topics.missing();
            if (!missing.isEmpty()) {
                throw new SetupException(
                        "Topics are missing: " + String.join(", ", missing) + "; make them with 'setup topics'");
            }
        }
        out.println("Kafka: all " + Topic.values().length + " topics are there");
        StoreConfig store = store();
        new Bucket(store).check();
        out.println("Store: " + store + " takes conditional writes");
    }

    private Topics topics() throws SetupException {
        Map<String, String> client = new HashMap<>();
        for (String name : config.getPropertyNames()) {
            if (name.startsWith("kafka.")) {
                config.getOptionalValue(name, String.class)
                        .ifPresent(value -> client.put(name.substring("kafka.".length()), value));
            }
        }
        client.computeIfAbsent("bootstrap.servers", name -> required("kafka.bootstrap.servers"));
        return new Topics(
                client,
                config.getOptionalValue("distillery.topics.prefix", String.class)
                        .orElse(Topic.DEFAULT_PREFIX),
                PATIENCE);
    }

    private StoreConfig store() {
        return new StoreConfig(
                required("distillery.store.endpoint"),
                config.getOptionalValue("distillery.store.region", String.class).orElse("us-east-1"),
                config.getOptionalValue("distillery.store.bucket", String.class).orElse("distillery"),
                required("distillery.store.access-key"),
                required("distillery.store.secret-key"),
                PATIENCE,
                config.getOptionalValue("distillery.store.ca-file", String.class)
                        .map(Path::of));
    }

    private String required(String name) {
        return config.getOptionalValue(name, String.class)
                .orElseThrow(
                        () -> new IllegalArgumentException("'" + name + "' must be set; as an environment variable: "
                                + name.replaceAll("[.-]", "_").toUpperCase(Locale.ROOT)));
    }
}
