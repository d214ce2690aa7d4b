package dev.distillery.standalone;

import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.StoreConfig;

/** The store of the services, by the settings that they have in their environment. */
final class StoreSettings {
    static final String NAMES = "DISTILLERY_STORE_ENDPOINT, _ACCESS_KEY, _SECRET_KEY";

    private StoreSettings() {}

    /** The store by bucket, if the environment says where it is. */
    static Optional<Function<String, ArtifactStore>> buckets(Map<String, String> env) {
        return Optional.ofNullable(env.get("DISTILLERY_STORE_ENDPOINT"))
                .map(endpoint -> bucket -> new ArtifactStore(new StoreConfig(
                        endpoint,
                        env.getOrDefault("DISTILLERY_STORE_REGION", "us-east-1"),
                        bucket,
                        env.getOrDefault("DISTILLERY_STORE_ACCESS_KEY", ""),
                        env.getOrDefault("DISTILLERY_STORE_SECRET_KEY", ""))));
    }
}
