package dev.distillery.standalone.installation;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;

import dev.distillery.standalone.console.QuietLogging;
import dev.distillery.standalone.console.UserException;
import picocli.CommandLine.Option;

/**
 * The options of every command that speaks with an installation. Secrets have none: a command line is seen by other users of the
 * machine and kept in the shell's history.
 */
public final class Connection {
    private final Map<String, String> env;

    @Option(
            names = "--profile",
            paramLabel = "NAME",
            description =
                    "Settings NAME.* of ~/.config/distillery/profiles.properties, such as NAME.kafka.bootstrap.servers, "
                            + "NAME.kafka.sasl.jaas.config (any property of a Kafka client), NAME.store.endpoint, .bucket, "
                            + ".access-key, .secret-key, .ca-file. Default: $DISTILLERY_PROFILE, or the profile 'default' if there is one.")
    private String profile;

    @Option(
            names = "--kafka",
            paramLabel = "HOST:PORT[,..]",
            description = "The brokers. Else $DISTILLERY_KAFKA_BOOTSTRAP_SERVERS.")
    private String kafka;

    @Option(
            names = "--kafka-properties",
            paramLabel = "FILE",
            description = "Properties of a Kafka client, for SASL and TLS, as Kafka's own tools take them with "
                    + "--command-config. Also $DISTILLERY_KAFKA_SECURITY_PROTOCOL, $DISTILLERY_KAFKA_SASL_JAAS_CONFIG and "
                    + "so on.")
    private Path kafkaProperties;

    @Option(
            names = "--topics-prefix",
            paramLabel = "PREFIX",
            description = "Before the topics' names. Else $DISTILLERY_TOPICS_PREFIX; default: distillery.")
    private String topicsPrefix;

    @Option(
            names = "--store",
            paramLabel = "URL",
            description = "The S3 store. Else $DISTILLERY_STORE_ENDPOINT. How to sign in is said by "
                    + "$DISTILLERY_STORE_ACCESS_KEY and $DISTILLERY_STORE_SECRET_KEY, who signed its certificate by "
                    + "$DISTILLERY_STORE_CA_FILE; or all by a profile.")
    private String store;

    @Option(
            names = "--bucket",
            paramLabel = "NAME",
            description = "Its bucket. Else $DISTILLERY_STORE_BUCKET; default: distillery")
    private String bucket;

    /** @param env of the process */
    public Connection(Map<String, String> env) {
        this.env = env;
    }

    /** What a command does with an installation. */
    interface Use {
        int of(Installation installation) throws Exception;
    }

    /**
     * Runs a command's work; whatever is wrong with broker, store or settings reaches the user in a line.
     *
     * @throws UserException for that
     */
    int use(Use use) throws Exception {
        QuietLogging.install();
        Settings settings = settings();
        Callable<Integer> work = () -> use.of(new Installation(settings));
        return Troubles.explained(settings, work);
    }

    private Settings settings() {
        Optional<Setting> named = flag(profile, "--profile").or(() -> Optional.ofNullable(env.get("DISTILLERY_PROFILE"))
                .filter(name -> !name.isBlank())
                .map(name -> new Setting(name, "DISTILLERY_PROFILE")));
        Map<String, Setting> all = new TreeMap<>(SettingsFile.profile(SettingsFile.ofProfiles(env), named));
        all.putAll(Settings.ofEnvironment(env));
        if (kafkaProperties != null) {
            all.putAll(SettingsFile.kafka(kafkaProperties));
        }
        flag(kafka, "--kafka").ifPresent(said -> all.put(Settings.KAFKA_SERVERS, said));
        flag(topicsPrefix, "--topics-prefix").ifPresent(said -> all.put(Settings.TOPICS_PREFIX, said));
        flag(store, "--store").ifPresent(said -> all.put(Settings.STORE_ENDPOINT, said));
        flag(bucket, "--bucket").ifPresent(said -> all.put(Settings.STORE_BUCKET, said));
        return new Settings(all);
    }

    private static Optional<Setting> flag(String value, String name) {
        return Optional.ofNullable(value).map(said -> new Setting(said, name));
    }
}
