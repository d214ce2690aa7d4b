package dev.distillery.standalone.installation;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;

import dev.distillery.standalone.console.UserException;

/**
 * Where an installation is and how to sign in: {@code kafka.*}, which are Kafka's own client properties, {@code store.*} and {@code
 * topics.prefix}. What is said later wins: profile, environment, file of Kafka properties, flags.
 */
final class Settings {
    static final String KAFKA = "kafka.";
    static final String KAFKA_SERVERS = "kafka.bootstrap.servers";
    static final String STORE_ENDPOINT = "store.endpoint";
    static final String STORE_REGION = "store.region";
    static final String STORE_BUCKET = "store.bucket";
    static final String STORE_ACCESS_KEY = "store.access-key";
    static final String STORE_SECRET_KEY = "store.secret-key";
    static final String STORE_CA_FILE = "store.ca-file";
    static final String TOPICS_PREFIX = "topics.prefix";

    private static final String ENV = "DISTILLERY_";
    private static final Pattern SECRET = Pattern.compile(".*(secret|password|jaas|keystore\\.key|token).*");

    private final Map<String, Setting> all;

    Settings(Map<String, Setting> all) {
        this.all = new TreeMap<>(all);
    }

    /** {@code DISTILLERY_KAFKA_SECURITY_PROTOCOL} is {@code kafka.security.protocol}; the services read the same names of the store. */
    static Map<String, Setting> ofEnvironment(Map<String, String> env) {
        Map<String, Setting> said = new TreeMap<>();
        env.forEach((name, value) -> {
            if (name.startsWith(ENV + "KAFKA_") && !value.isBlank()) {
                String key = name.substring(ENV.length()).toLowerCase(Locale.ROOT);
                said.put(key.replace('_', '.'), new Setting(value, name));
            }
        });
        for (String key : new String[] {
            STORE_ENDPOINT, STORE_REGION, STORE_BUCKET, STORE_ACCESS_KEY, STORE_SECRET_KEY, STORE_CA_FILE, TOPICS_PREFIX
        }) {
            String name = variable(key);
            if (!env.getOrDefault(name, "").isBlank()) {
                said.put(key, new Setting(env.get(name), name));
            }
        }
        return said;
    }

    static String variable(String key) {
        return ENV + key.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
    }

    Optional<Setting> find(String key) {
        return Optional.ofNullable(all.get(key));
    }

    /**
     * @param what for people
     * @param flag null if there is none, as for secrets
     * @throws UserException naming the ways to say it
     */
    Setting require(String key, String what, String flag) {
        return find(key)
                .orElseThrow(() -> UserException.badInput("It is not said " + what + ": "
                        + (flag == null ? "" : "give " + flag + ", or ")
                        + "set " + variable(key) + " or '" + key + "' of a profile"));
    }

    /** What a Kafka client is made with. */
    Map<String, Object> kafka() {
        Map<String, Object> properties = new TreeMap<>();
        all.forEach((key, setting) -> {
            if (key.startsWith(KAFKA)) {
                properties.put(key.substring(KAFKA.length()), setting.value());
            }
        });
        return properties;
    }

    /** Who said a property of Kafka's, for a message about it. */
    String source(String key) {
        return find(key).map(Setting::source).orElse("not set");
    }

    /** Libraries put values into their messages. */
    String withoutSecrets(String text) {
        String clean = text;
        for (Map.Entry<String, Setting> entry : all.entrySet()) {
            String value = entry.getValue().value();
            if (SECRET.matcher(entry.getKey()).matches() && value.length() > 2) {
                clean = clean.replace(value, "***");
            }
        }
        return clean;
    }
}
