package dev.distillery.monitoring;

import java.time.Duration;

import jakarta.enterprise.context.ApplicationScoped;

import dev.distillery.artifacts.StoreConfig;
import dev.distillery.artifacts.StoreException;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.HealthCheckResponseBuilder;
import org.eclipse.microprofile.health.Readiness;

/** Ready while the store answers, and takes this service's keys. */
@Readiness
@ApplicationScoped
class StoreHealth implements HealthCheck {
    private static final Duration PATIENCE = Duration.ofSeconds(2); // a probe's own limit is soon reached

    private final StoreConfig config;
    private final StoreProbe probe;

    StoreHealth(StoreConfig config) {
        this.config = config;
        this.probe = new StoreProbe(config, PATIENCE);
    }

    @Override
    public HealthCheckResponse call() {
        HealthCheckResponseBuilder health = HealthCheckResponse.named("store").withData("bucket", config.toString());
        try {
            probe.ask();
            return health.up().build();
        } catch (StoreException e) {
            return health.down().withData("reason", e.getMessage()).build();
        }
    }
}
