package dev.distillery.evaluator;

import java.time.Duration;

import jakarta.enterprise.context.ApplicationScoped;

import dev.distillery.monitoring.Metric;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.Startup;

/** Counts and times what is evaluated. The scores are in events and store: a series for each run would never end. */
@Startup // its meters are there before the first event: an increase from nothing is not seen
@ApplicationScoped
class EvaluateMeters implements Evaluate.Drawn {
    private final MeterRegistry registry;

    EvaluateMeters(MeterRegistry registry) {
        this.registry = registry;
        Metric.EVALUATE_IMAGES.counter(registry);
        Metric.EVALUATE_PART.timer(registry);
        Metric.EVALUATE_FAILED.counter(registry);
    }

    @Override
    public void drawn(int images, Duration took) {
        Metric.EVALUATE_IMAGES.counter(registry).increment(images);
        Metric.EVALUATE_PART.timer(registry).record(took);
    }

    void failed() {
        Metric.EVALUATE_FAILED.counter(registry).increment();
    }
}
