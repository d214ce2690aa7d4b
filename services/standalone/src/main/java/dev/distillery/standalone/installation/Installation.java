package dev.distillery.standalone.installation;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Pattern;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.StoreConfig;
import dev.distillery.events.Topic;
import dev.distillery.standalone.console.UserException;

/** An installation's broker and store, opened when they are asked for. */
final class Installation {
    /** A person waits. */
    static final Duration PATIENCE = Duration.ofSeconds(10);

    private static final String DEFAULT_BUCKET = "distillery";
    private static final Pattern SERVERS =
            Pattern.compile("\\s*[^\\s,:/]+:\\d{1,5}(\\s*,\\s*[^\\s,:/]+:\\d{1,5})*\\s*");
    private static final Pattern IPV6 = Pattern.compile("\\s*\\[[0-9a-fA-F:.]+]:\\d{1,5}\\s*");

    private final Settings settings;

    Installation(Settings settings) {
        this.settings = settings;
    }

    /** @throws UserException if nobody says where it is */
    Broker broker() {
        Setting servers = settings.require(Settings.KAFKA_SERVERS, "where Kafka is", "--kafka HOST:PORT");
        if (!SERVERS.matcher(servers.value()).matches()
                && !IPV6.matcher(servers.value()).matches()) {
            throw wrong(servers, "must be HOST:PORT, or several parted by commas");
        }
        String prefix =
                settings.find(Settings.TOPICS_PREFIX).map(Setting::value).orElse(Topic.DEFAULT_PREFIX);
        return new Broker(settings.kafka(), prefix);
    }

    /** Empty if nobody says where it is. */
    Optional<Broker> brokerIfNamed() {
        return settings.find(Settings.KAFKA_SERVERS).map(said -> broker());
    }

    /** @throws UserException if nobody says where it is and how to sign in, or it has no such bucket */
    ArtifactStore store() {
        Setting endpoint = settings.require(Settings.STORE_ENDPOINT, "where the store is", "--store URL");
        requireUrl(endpoint);
        ArtifactStore store = open(endpoint);
        if (!store.bucketExists()) {
            throw UserException.failed(
                    "The store " + endpoint.value() + " (" + endpoint + ") has no bucket '" + bucket() + "' ("
                            + settings.find(Settings.STORE_BUCKET)
                                    .map(Setting::source)
                                    .orElse("the default; another one is named with --bucket")
                            + ")",
                    null);
        }
        return store;
    }

    private ArtifactStore open(Setting endpoint) {
        String region = settings.find(Settings.STORE_REGION).map(Setting::value).orElse("us-east-1");
        try {
            return new ArtifactStore(new StoreConfig(
                    endpoint.value(),
                    region,
                    bucket(),
                    settings.require(Settings.STORE_ACCESS_KEY, "how to sign in to the store", null)
                            .value(),
                    settings.require(Settings.STORE_SECRET_KEY, "how to sign in to the store", null)
                            .value(),
                    PATIENCE,
                    settings.find(Settings.STORE_CA_FILE).map(file -> Path.of(file.value()))));
        } catch (IllegalArgumentException e) {
            throw wrong(endpoint, "is not a store's address: " + e.getMessage());
        }
    }

    /** Empty if nobody says where it is. */
    Optional<ArtifactStore> storeIfNamed() {
        return settings.find(Settings.STORE_ENDPOINT).map(said -> store());
    }

    String bucket() {
        return settings.find(Settings.STORE_BUCKET).map(Setting::value).orElse(DEFAULT_BUCKET);
    }

    private static void requireUrl(Setting endpoint) {
        try {
            URI uri = URI.create(endpoint.value());
            if (uri.getHost() != null && ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))) {
                return;
            }
        } catch (IllegalArgumentException e) {
            // as wrong as another scheme
        }
        throw wrong(endpoint, "must be http://HOST:PORT or https://HOST");
    }

    private static UserException wrong(Setting setting, String rule) {
        return UserException.badInput(setting.source() + " " + rule + " but is '" + setting.value() + "'");
    }
}
