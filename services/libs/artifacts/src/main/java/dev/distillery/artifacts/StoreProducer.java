package dev.distillery.artifacts;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.inject.Instance;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;

import org.eclipse.microprofile.config.inject.ConfigProperty;

/** The store and its local copies as beans, from the configuration. */
@ApplicationScoped
class StoreProducer {

    @Produces
    @Singleton
    StoreConfig config(
            @ConfigProperty(name = "distillery.store.endpoint") String endpoint,
            @ConfigProperty(name = "distillery.store.region", defaultValue = "us-east-1") String region,
            @ConfigProperty(name = "distillery.store.bucket", defaultValue = "distillery") String bucket,
            @ConfigProperty(name = "distillery.store.access-key") String accessKey,
            @ConfigProperty(name = "distillery.store.secret-key") String secretKey,
            @ConfigProperty(name = "distillery.store.patience", defaultValue = "PT10M") Duration patience,
            @ConfigProperty(name = "distillery.store.ca-file") Optional<Path> caFile) {
        return new StoreConfig(endpoint, region, bucket, accessKey, secretKey, patience, caFile);
    }

    /** @param calls whoever wants to be told, if there is one */
    @Produces
    @Singleton
    ArtifactStore store(StoreConfig config, Instance<StoreCalls> calls) {
        return new ArtifactStore(config, calls.isResolvable() ? calls.get() : StoreCalls.UNTOLD);
    }

    @Produces
    @Singleton
    LocalCopies copies(
            ArtifactStore store,
            @ConfigProperty(name = "distillery.work-dir", defaultValue = "${java.io.tmpdir}/distillery") Path workDir) {
        return new LocalCopies(store, workDir.resolve("copies"));
    }
}
