package dev.distillery.converter;

import java.time.Duration;
import java.util.function.Supplier;

import jakarta.enterprise.context.ApplicationScoped;

import dev.distillery.events.ModelConverted;
import dev.distillery.monitoring.Metric;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.Startup;

/** Counts and times conversions. */
@Startup // its meters are there before the first event: an increase from nothing is not seen
@ApplicationScoped
class ConvertMeters {
    private final MeterRegistry registry;

    ConvertMeters(MeterRegistry registry) {
        this.registry = registry;
        Metric.CONVERT_BYTES.counter(registry);
        Metric.CONVERT.timer(registry, "converted");
        Metric.CONVERT.timer(registry, "failed");
    }

    /** Does and returns what {@code conversion} does. */
    ModelConverted timed(Supplier<ModelConverted> conversion) {
        long started = System.nanoTime();
        String outcome = "failed";
        try {
            ModelConverted model = conversion.get();
            outcome = "converted";
            Metric.CONVERT_BYTES.counter(registry).increment(model.bytes());
            return model;
        } finally {
            Metric.CONVERT.timer(registry, outcome).record(Duration.ofNanos(System.nanoTime() - started));
        }
    }
}
