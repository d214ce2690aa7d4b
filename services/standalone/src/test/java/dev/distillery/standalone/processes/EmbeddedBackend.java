package dev.distillery.standalone.processes;

import java.util.Map;

import dev.distillery.embedded.Embedded;
import dev.distillery.embedded.EmbeddedS3;

/** What every machine has: broker and store in this JVM, open to all. */
final class EmbeddedBackend implements Backend {
    private final Embedded embedded = Embedded.startTemporary();

    @Override
    public Map<String, String> environment(String part) {
        return Map.of(
                "KAFKA_BOOTSTRAP_SERVERS",
                embedded.kafka().bootstrapServers(),
                "DISTILLERY_STORE_ENDPOINT",
                embedded.s3().endpoint(),
                "DISTILLERY_STORE_ACCESS_KEY",
                EmbeddedS3.ACCESS_KEY,
                "DISTILLERY_STORE_SECRET_KEY",
                EmbeddedS3.SECRET_KEY);
    }

    @Override
    public boolean restricts() {
        return false;
    }

    @Override
    public void close() {
        embedded.close();
    }
}
