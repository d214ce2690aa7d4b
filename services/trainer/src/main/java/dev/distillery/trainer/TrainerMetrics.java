package dev.distillery.trainer;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

import jakarta.enterprise.context.ApplicationScoped;

import dev.distillery.diffusion.distill.Losses;
import dev.distillery.trainer.run.TrainingObserver.Progress;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;

/** Meters of the training, by their Prometheus names. */
@ApplicationScoped
class TrainerMetrics {

    private final Timer stepSeconds;
    private final Timer uploadSeconds;
    private final Counter images;
    private final Counter skipped;
    private final Meter.MeterProvider<Counter> busy;
    private final AtomicReference<Losses> losses = new AtomicReference<>(new Losses(0, 0, 0, 0));
    private final AtomicReference<Double> gradNorm = new AtomicReference<>(0.0);
    private final AtomicReference<Double> emaDistance = new AtomicReference<>(0.0);

    TrainerMetrics(MeterRegistry registry) {
        stepSeconds = Timer.builder("distillery_train_step")
                .description("Seconds of a training step")
                .publishPercentileHistogram()
                .register(registry);
        uploadSeconds = Timer.builder("distillery_checkpoint_upload")
                .description("Seconds that a checkpoint took to be complete in the store")
                .register(registry);
        images = Counter.builder("distillery_train_images")
                .description("Images trained on")
                .register(registry);
        skipped = Counter.builder("distillery_train_skipped")
                .description("Steps that changed nothing, because their losses or gradients were not finite")
                .register(registry);
        busy = Counter.builder("distillery_train_device_busy_seconds")
                .description("Seconds that a device worked on its parts of batches")
                .withRegistry(registry);
        loss(registry, "task", () -> losses.get().task());
        loss(registry, "output", () -> losses.get().output());
        loss(registry, "feature", () -> losses.get().feature());
        Gauge.builder("distillery_train_grad_norm", gradNorm::get)
                .description("Norm of the last step's gradients before clipping")
                .register(registry);
        Gauge.builder("distillery_train_ema_distance", emaDistance::get)
                .description(
                        "Distance of the average of the student's weights from them at the last evaluation, in their length")
                .register(registry);
    }

    private static void loss(MeterRegistry registry, String term, Supplier<Number> value) {
        Gauge.builder("distillery_train_loss", value)
                .description("A loss of the last step")
                .tag("term", term)
                .register(registry);
    }

    void stepped(Progress progress) {
        stepSeconds.record(Duration.ofNanos((long) (progress.seconds() * 1e9)));
        images.increment(progress.images());
        for (int device = 0; device < progress.deviceSeconds().size(); device++) {
            busy.withTag("device", String.valueOf(device))
                    .increment(progress.deviceSeconds().get(device));
        }
        losses.set(progress.losses());
        gradNorm.set(progress.gradNorm());
    }

    void skipped() {
        skipped.increment();
    }

    void averaged(double distance) {
        emaDistance.set(distance);
    }

    void uploaded(double seconds) {
        uploadSeconds.record(Duration.ofNanos((long) (seconds * 1e9)));
    }
}
