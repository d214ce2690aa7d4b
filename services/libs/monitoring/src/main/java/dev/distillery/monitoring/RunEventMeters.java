package dev.distillery.monitoring;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import dev.distillery.events.Event;
import dev.distillery.events.RunEvent;
import dev.distillery.events.StageProgress;
import dev.distillery.events.Topic;
import dev.distillery.events.TrainingProgress;
import dev.distillery.events.messaging.Published;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.Startup;

/** Counts what is said about runs. */
@Startup // its meters are there before the first event: an increase from nothing is not seen
@ApplicationScoped
class RunEventMeters {
    private final MeterRegistry registry;

    RunEventMeters(MeterRegistry registry) {
        this.registry = registry;
        for (Class<?> event : RunEvent.class.getPermittedSubclasses()) {
            if (event != StageProgress.class && event != TrainingProgress.class) {
                counter(event.asSubclass(Event.class));
            }
        }
    }

    private Counter counter(Class<? extends Event> event) {
        return Metric.RUN_EVENTS.counter(registry, Event.nameOf(event));
    }

    void published(@Observes Published published) {
        Event event = published.event();
        if (published.topic() == Topic.RUN_EVENTS
                && !(event instanceof StageProgress || event instanceof TrainingProgress)) {
            counter(event.getClass()).increment();
        }
    }
}
