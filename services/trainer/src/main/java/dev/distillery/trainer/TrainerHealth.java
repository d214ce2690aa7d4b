package dev.distillery.trainer;

import jakarta.enterprise.context.ApplicationScoped;

import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Liveness;

/** Alive as long as the thread that trains is: a step of a large model may take minutes, so its pace says nothing. */
@Liveness
@ApplicationScoped
class TrainerHealth implements HealthCheck {

    private final TrainerLoop loop;

    TrainerHealth(TrainerLoop loop) {
        this.loop = loop;
    }

    @Override
    public HealthCheckResponse call() {
        return HealthCheckResponse.builder()
                .name("training thread")
                .status(loop.alive())
                .build();
    }
}
