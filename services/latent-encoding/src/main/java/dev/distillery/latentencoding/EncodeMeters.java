package dev.distillery.latentencoding;

import java.time.Duration;

import jakarta.enterprise.context.ApplicationScoped;

import dev.distillery.monitoring.Metric;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.Startup;

/** Counts and times what is encoded. */
@Startup // its meters are there before the first event: an increase from nothing is not seen
@ApplicationScoped
class EncodeMeters implements Encode.Settled {
    private final MeterRegistry registry;

    EncodeMeters(MeterRegistry registry) {
        this.registry = registry;
        Metric.ENCODE_PAIRS.counter(registry);
        Metric.ENCODE_SHARD.timer(registry, "encoded");
        Metric.ENCODE_SHARD.timer(registry, "failed");
    }

    @Override
    public void encoded(int pairs, Duration took) {
        Metric.ENCODE_PAIRS.counter(registry).increment(pairs);
        Metric.ENCODE_SHARD.timer(registry, "encoded").record(took);
    }

    @Override
    public void putAside(Duration took) {
        Metric.ENCODE_SHARD.timer(registry, "failed").record(took);
    }
}
