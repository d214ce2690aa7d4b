package dev.distillery.monitoring;

import java.time.Duration;

import jakarta.enterprise.context.ApplicationScoped;

import dev.distillery.artifacts.StoreCalls;
import io.micrometer.core.instrument.MeterRegistry;

/** Counts and times requests to the store. */
@ApplicationScoped
class StoreMeters implements StoreCalls {
    private final MeterRegistry registry;

    StoreMeters(MeterRegistry registry) {
        this.registry = registry;
    }

    @Override
    public void answered(String method, int status, Duration took) {
        Metric.STORE_REQUEST.timer(registry, method, outcome(status)).record(took);
    }

    /** Missing objects and lost races for one are the daily bread of leases and manifests. */
    private static String outcome(int status) {
        if (status == NO_ANSWER) {
            return "unanswered";
        } else if (status < 400) {
            return "ok";
        } else if (status == 404) {
            return "missing";
        } else if (status == 409 || status == 412) {
            return "conflict";
        }
        return status >= 500 || status == 429 ? "error" : "refused";
    }
}
