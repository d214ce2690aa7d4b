package dev.distillery.trainer;

import java.time.Duration;

import jakarta.enterprise.context.ApplicationScoped;

import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Liveness;

/** Alive as long as the thread that trains is, and its last sign of life is not too old. */
@Liveness
@ApplicationScoped
class TrainerHealth implements HealthCheck {

    private final TrainerLoop loop;
    private final Heartbeat heartbeat;
    private final Duration stepTimeout;

    TrainerHealth(TrainerLoop loop, Heartbeat heartbeat, TrainerConfig config) {
        this.loop = loop;
        this.heartbeat = heartbeat;
        this.stepTimeout = config.stepTimeout();
    }

    @Override
    public HealthCheckResponse call() {
        Duration age = heartbeat.age();
        return HealthCheckResponse.builder()
                .name("training thread")
                .status(loop.alive() && age.compareTo(stepTimeout) < 0)
                .withData("heartbeatAgeSeconds", age.toSeconds())
                .withData("stepTimeoutSeconds", stepTimeout.toSeconds())
                .build();
    }
}
