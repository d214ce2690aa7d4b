package dev.distillery.trainer;

import java.time.Duration;
import java.util.List;

import jakarta.enterprise.context.ApplicationScoped;

import ai.djl.Device;
import dev.distillery.diffusion.tensor.Torch;
import dev.distillery.events.TrainRequest;
import dev.distillery.monitoring.Metric;
import dev.distillery.trainer.run.Memory;
import dev.distillery.trainer.run.TrainingObserver.Progress;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.quarkus.runtime.Startup;

/** Meters of this process's training, whatever the run; {@link RunMeters} are those of the run. */
@Startup // its meters are there before the first event: an increase from nothing is not seen
@ApplicationScoped
class TrainerMetrics {

    private final MeterRegistry registry;
    private final Heartbeat heartbeat;
    private final Timer step;
    private final Counter images;
    private final Counter skipped;
    private final Counter waited;

    TrainerMetrics(MeterRegistry registry, Heartbeat heartbeat) {
        this.registry = registry;
        this.heartbeat = heartbeat;
        step = Metric.TRAIN_STEP.timer(registry);
        images = Metric.TRAIN_IMAGES.counter(registry);
        skipped = Metric.TRAIN_SKIPPED.counter(registry);
        waited = Metric.TRAIN_DATA_WAIT.counter(registry);
        Metric.CHECKPOINT_UPLOAD.timer(registry, "stored");
        Metric.CHECKPOINT_UPLOAD.timer(registry, "failed");
    }

    /** Meters of the devices' memory. */
    void watch(List<Device> devices) {
        for (Device device : devices) {
            Metric.DEVICE_MEMORY.gauge(
                    registry,
                    () -> device.isGpu() ? Torch.usedMemoryBytes(device) : Memory.residentBytes(),
                    Devices.name(device));
            Metric.DEVICE_MEMORY_TOTAL.gauge(registry, () -> Torch.memoryBytes(device), Devices.name(device));
        }
    }

    /** Meters of a run that was taken; closed when it is left. */
    RunMeters of(String run, TrainRequest request) {
        return new RunMeters(registry, run, request.student().layout(), heartbeat);
    }

    void stepped(Progress progress) {
        step.record(duration(progress.seconds()));
        images.increment(progress.images());
        for (int device = 0; device < progress.deviceSeconds().size(); device++) {
            Metric.DEVICE_BUSY
                    .counter(registry, String.valueOf(device))
                    .increment(progress.deviceSeconds().get(device));
        }
        waited.increment(progress.waitedSeconds());
    }

    void skipped() {
        skipped.increment();
    }

    /** @param outcome stored or failed */
    void uploaded(String outcome, double seconds) {
        Metric.CHECKPOINT_UPLOAD.timer(registry, outcome).record(duration(seconds));
    }

    private static Duration duration(double seconds) {
        return Duration.ofNanos((long) (seconds * 1e9));
    }
}
