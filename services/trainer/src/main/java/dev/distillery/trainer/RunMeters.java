package dev.distillery.trainer;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

import dev.distillery.monitoring.Metric;
import dev.distillery.trainer.run.TrainingObserver.Progress;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;

/** How the run stands that the trainer has; the meters go with it, so that no trainer tells of a run that it has left. */
final class RunMeters implements AutoCloseable {

    private final MeterRegistry registry;
    private final String run;
    private final List<Gauge> gauges = new ArrayList<>();
    private volatile Progress last; // null before the first step
    private volatile double emaDistance = Double.NaN;
    private volatile long checkpointed = System.nanoTime();

    RunMeters(MeterRegistry registry, String run, String layout, Heartbeat heartbeat) {
        this.registry = registry;
        this.run = run;
        gauges.add(Metric.TRAIN_RUN.gauge(registry, () -> 1, run, layout));
        add(Metric.TRAIN_STEP_NUMBER, ofLast(Progress::step));
        add(Metric.TRAIN_STEPS, ofLast(Progress::steps));
        add(Metric.TRAIN_SECONDS_LEFT, ofLast(Progress::secondsLeft));
        loss("task", progress -> progress.losses().task());
        loss("output", progress -> progress.losses().output());
        loss("feature", progress -> progress.losses().feature());
        add(Metric.TRAIN_GRAD_NORM, ofLast(Progress::gradNorm));
        add(Metric.TRAIN_LEARNING_RATE, ofLast(Progress::learningRate));
        add(Metric.TRAIN_EMA_DISTANCE, () -> emaDistance);
        add(Metric.TRAIN_HEARTBEAT_AGE, () -> heartbeat.age().toMillis() / 1e3);
        add(Metric.CHECKPOINT_AGE, () -> (System.nanoTime() - checkpointed) / 1e9);
    }

    private void add(Metric metric, Supplier<Number> value) {
        gauges.add(metric.gauge(registry, value, run));
    }

    private void loss(String term, ToDoubleFunction<Progress> value) {
        gauges.add(Metric.TRAIN_LOSS.gauge(registry, ofLast(value), run, term));
    }

    private Supplier<Number> ofLast(ToDoubleFunction<Progress> value) {
        return () -> {
            Progress progress = last;
            return progress == null ? Double.NaN : value.applyAsDouble(progress);
        };
    }

    void stepped(Progress progress) {
        last = progress;
    }

    void averaged(double distance) {
        emaDistance = distance;
    }

    void checkpointed() {
        checkpointed = System.nanoTime();
    }

    @Override
    public void close() {
        gauges.forEach(registry::remove);
    }
}
