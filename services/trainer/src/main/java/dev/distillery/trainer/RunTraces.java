package dev.distillery.trainer;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import jakarta.enterprise.context.ApplicationScoped;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;

/**
 * Lets the training of a run go on in the trace that its record came with. A run waits in the store, not in Kafka: one that
 * another process took in begins a trace of its own.
 */
@ApplicationScoped
class RunTraces {

    private final Tracer tracer;
    private final Map<String, Context> queued = new ConcurrentHashMap<>();

    RunTraces(Tracer tracer) {
        this.tracer = tracer;
    }

    /** Notes where this thread's trace is, which put the run into the queue; nothing while there are no traces. */
    void queued(String run) {
        if (Span.current().getSpanContext().isValid()) {
            queued.put(run, Context.current());
        }
    }

    /** Does {@code work} in a span of the run's trace. */
    void inTraceOf(String run, Runnable work) {
        Context parent = queued.getOrDefault(run, Context.root());
        Span span = tracer.spanBuilder("train")
                .setParent(parent)
                .setAttribute("distillery.run", run)
                .startSpan();
        try (Scope scope = parent.with(span).makeCurrent()) {
            work.run();
        } finally {
            span.end();
            queued.remove(run);
        }
    }
}
