package dev.distillery.standalone.installation;

import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

import dev.distillery.standalone.console.UserException;

/** Files of settings, as Java properties: one of profiles, or one of Kafka's own client properties. */
final class SettingsFile {
    private static final String DEFAULT = "default";

    private SettingsFile() {}

    /** {@code distillery/profiles.properties} where the user's settings are. */
    static Path ofProfiles(Map<String, String> env) {
        String config = env.getOrDefault("XDG_CONFIG_HOME", "");
        Path folder = config.isBlank()
                ? Path.of(env.getOrDefault("HOME", System.getProperty("user.home")), ".config")
                : Path.of(config);
        return folder.resolve("distillery/profiles.properties");
    }

    /**
     * What a profile says, without its name.
     *
     * @param name empty: the profile {@code default}, if there is one
     * @throws UserException if the profile that was named is not there
     */
    static Map<String, Setting> profile(Path file, Optional<Setting> name) {
        if (name.isEmpty() && !Files.exists(file)) {
            return Map.of();
        }
        String profile = name.map(Setting::value).orElse(DEFAULT);
        Map<String, String> all = read(file, name.map(n -> "profile '" + n.value() + "' of " + n.source() + ": "));
        Map<String, Setting> said = new TreeMap<>();
        all.forEach((key, value) -> {
            if (key.startsWith(profile + ".")) {
                said.put(key.substring(profile.length() + 1), new Setting(value, file + ", " + key));
            }
        });
        if (said.isEmpty() && name.isPresent()) {
            throw UserException.badInput("There is no profile '" + profile + "' (" + name.get() + ") in " + file
                    + "; there " + profiles(all));
        }
        return said;
    }

    private static String profiles(Map<String, String> all) {
        String names = all.keySet().stream()
                .filter(key -> key.contains("."))
                .map(key -> key.substring(0, key.indexOf('.')))
                .collect(Collectors.toCollection(TreeSet::new))
                .stream()
                .collect(Collectors.joining(", "));
        return names.isEmpty() ? "is none" : "are " + names;
    }

    /** Kafka's client properties, as its own tools take them with {@code --command-config}. */
    static Map<String, Setting> kafka(Path file) {
        Map<String, Setting> said = new TreeMap<>();
        read(file, Optional.of("--kafka-properties: "))
                .forEach((key, value) -> said.put(Settings.KAFKA + key, new Setting(value, file + ", " + key)));
        return said;
    }

    private static Map<String, String> read(Path file, Optional<String> asked) {
        try (Reader in = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
            Properties properties = new Properties();
            properties.load(in);
            Map<String, String> all = new TreeMap<>();
            properties.forEach(
                    (key, value) -> all.put(key.toString(), value.toString().strip()));
            return all;
        } catch (NoSuchFileException e) {
            throw UserException.badInput(asked.orElse("") + "there is no file " + file);
        } catch (IOException | IllegalArgumentException e) {
            throw UserException.badInput(asked.orElse("") + file + " cannot be read as properties: " + e.getMessage());
        }
    }
}
