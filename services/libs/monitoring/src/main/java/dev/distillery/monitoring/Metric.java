package dev.distillery.monitoring;

import java.util.List;
import java.util.function.Supplier;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;

import static dev.distillery.monitoring.Metric.Kind.COUNTER;
import static dev.distillery.monitoring.Metric.Kind.GAUGE;
import static dev.distillery.monitoring.Metric.Kind.HISTOGRAM;
import static dev.distillery.monitoring.Metric.Kind.SUMMARY;

/**
 * Every meter of Distillery, by its Prometheus name; deploy/monitoring/README.md shows the same table. Units are base units,
 * labels have few values: only what tells of the run that a trainer has now carries the label {@code run}.
 */
public enum Metric {
    STORE_REQUEST(
            "distillery_store_request_seconds",
            SUMMARY,
            "every service",
            "Requests to the S3 store, each attempt; outcome is ok, missing, conflict, refused, error or unanswered",
            "method",
            "outcome"),
    RUN_EVENTS(
            "distillery_run_events_total",
            COUNTER,
            "every service",
            "Events of runs' lives that were published, but for progress",
            "type"),

    INGEST_PAIRS("distillery_ingest_pairs_total", COUNTER, "data-ingest", "Pairs of image and caption put into shards"),
    INGEST_SKIPPED("distillery_ingest_skipped_total", COUNTER, "data-ingest", "Pairs that could not be used", "reason"),
    INGEST_SHARD(
            "distillery_ingest_shard_seconds",
            SUMMARY,
            "data-ingest",
            "From reading a shard's pairs to its being stored"),
    LAG(
            "distillery_lag_records",
            GAUGE,
            "data-ingest",
            "Records of a topic that a service's consumer group has yet to take",
            "group",
            "topic"),
    RUNS(
            "distillery_runs",
            GAUGE,
            "data-ingest",
            "Runs whose data is ready; state is waiting, training or paused",
            "state"),
    DEAD_LETTERS("distillery_dead_letters", GAUGE, "data-ingest", "Records that are kept among the dead letters"),

    ENCODE_PAIRS(
            "distillery_encode_pairs_total", COUNTER, "latent-encoding", "Pairs encoded into latents and embeddings"),
    ENCODE_SHARD(
            "distillery_encode_shard_seconds",
            SUMMARY,
            "latent-encoding",
            "From fetching a shard to its latents' being stored; outcome is encoded or failed",
            "outcome"),

    TRAIN_RUN("distillery_train_run_info", GAUGE, "trainer", "1 for the run that the trainer has", "run", "layout"),
    TRAIN_STEP_NUMBER("distillery_train_steps_done", GAUGE, "trainer", "Optimizer steps done of the run", "run"),
    TRAIN_STEPS("distillery_train_steps", GAUGE, "trainer", "Optimizer steps that the run will have had", "run"),
    TRAIN_SECONDS_LEFT(
            "distillery_train_left_seconds", GAUGE, "trainer", "Training time left, judged by the steps so far", "run"),
    TRAIN_LOSS(
            "distillery_train_loss",
            GAUGE,
            "trainer",
            "A loss of the last step, unweighted; term is task, output or feature",
            "run",
            "term"),
    TRAIN_GRAD_NORM(
            "distillery_train_grad_norm", GAUGE, "trainer", "Norm of the last step's gradients before clipping", "run"),
    TRAIN_LEARNING_RATE("distillery_train_learning_rate", GAUGE, "trainer", "Learning rate of the last step", "run"),
    TRAIN_EMA_DISTANCE(
            "distillery_train_ema_distance",
            GAUGE,
            "trainer",
            "Distance of the average of the student's weights from them at the last evaluation, in their length",
            "run"),
    TRAIN_HEARTBEAT_AGE(
            "distillery_train_heartbeat_age_seconds",
            GAUGE,
            "trainer",
            "Since the last step, or other sign of life of the training",
            "run"),
    CHECKPOINT_AGE(
            "distillery_checkpoint_age_seconds",
            GAUGE,
            "trainer",
            "Since the run's last checkpoint was complete in the store, or the trainer took the run",
            "run"),
    TRAIN_STEP("distillery_train_step_seconds", HISTOGRAM, "trainer", "Time of a training step"),
    TRAIN_IMAGES("distillery_train_images_total", COUNTER, "trainer", "Images trained on"),
    TRAIN_SKIPPED(
            "distillery_train_skipped_total",
            COUNTER,
            "trainer",
            "Steps that changed nothing, because their losses or gradients were not finite"),
    TRAIN_DATA_WAIT(
            "distillery_train_data_wait_seconds_total",
            COUNTER,
            "trainer",
            "Time of steps in which a device waited for its data"),
    DEVICE_BUSY(
            "distillery_train_device_busy_seconds_total",
            COUNTER,
            "trainer",
            "Time that a device worked on its parts of batches",
            "device"),
    DEVICE_MEMORY(
            "distillery_device_memory_used_bytes",
            GAUGE,
            "trainer",
            "Memory in use of a GPU, by all who use it; of the process on a CPU",
            "device"),
    DEVICE_MEMORY_TOTAL(
            "distillery_device_memory_total_bytes", GAUGE, "trainer", "Memory of a GPU, or of the machine", "device"),
    CHECKPOINT_UPLOAD(
            "distillery_checkpoint_upload_seconds",
            SUMMARY,
            "trainer",
            "Until a checkpoint was complete in the store, or was given up; outcome is stored or failed",
            "outcome"),

    CONVERT(
            "distillery_convert_seconds",
            SUMMARY,
            "converter",
            "Conversions of a checkpoint; outcome is converted or failed",
            "outcome"),
    CONVERT_BYTES("distillery_convert_bytes_total", COUNTER, "converter", "Bytes of weights written"),

    EVALUATE_IMAGES(
            "distillery_evaluate_images_total", COUNTER, "evaluator", "Captions that student and teacher have drawn"),
    EVALUATE_PART(
            "distillery_evaluate_part_seconds",
            SUMMARY,
            "evaluator",
            "A part of an evaluation: both networks' errors and pictures of sixteen captions or less"),
    EVALUATE_FAILED(
            "distillery_evaluate_failed_total",
            COUNTER,
            "evaluator",
            "Requests and parts that could not be done, now among the dead letters");

    /** Prometheus' types of metrics; a summary has count, sum and max. */
    public enum Kind {
        COUNTER,
        GAUGE,
        SUMMARY,
        HISTOGRAM
    }

    private static final String SECONDS = "_seconds";

    private final String prometheusName;
    private final Kind kind;
    private final String service;
    private final String help;
    private final List<String> labels;

    Metric(String prometheusName, Kind kind, String service, String help, String... labels) {
        this.prometheusName = prometheusName;
        this.kind = kind;
        this.service = service;
        this.help = help;
        this.labels = List.of(labels);
    }

    /** As Prometheus has it; of a summary or histogram the family's name. */
    public String prometheusName() {
        return prometheusName;
    }

    public Kind kind() {
        return kind;
    }

    /** Which service has it. */
    public String service() {
        return service;
    }

    public String help() {
        return help;
    }

    public List<String> labels() {
        return labels;
    }

    /** @param values of the labels, in their order */
    public Counter counter(MeterRegistry registry, String... values) {
        require(COUNTER);
        return Counter.builder(prometheusName)
                .description(help)
                .tags(tags(values))
                .register(registry);
    }

    /** @param values of the labels, in their order */
    public Timer timer(MeterRegistry registry, String... values) {
        if (kind != HISTOGRAM) {
            require(SUMMARY);
        }
        // Micrometer adds the unit to a timer's name
        return Timer.builder(prometheusName.substring(0, prometheusName.length() - SECONDS.length()))
                .description(help)
                .tags(tags(values))
                .publishPercentileHistogram(kind == HISTOGRAM)
                .register(registry);
    }

    /**
     * @param value asked when it is scraped
     * @param values of the labels, in their order
     */
    public Gauge gauge(MeterRegistry registry, Supplier<Number> value, String... values) {
        require(GAUGE);
        return Gauge.builder(prometheusName, value)
                .description(help)
                .tags(tags(values))
                .register(registry);
    }

    private void require(Kind needed) {
        if (kind != needed) {
            throw new IllegalStateException(prometheusName + " is a " + kind + ", not a " + needed);
        }
    }

    private Tags tags(String... values) {
        if (values.length != labels.size()) {
            throw new IllegalArgumentException(
                    prometheusName + " has the labels " + labels + " but got the values " + List.of(values));
        }
        Tags tags = Tags.empty();
        for (int i = 0; i < values.length; i++) {
            tags = tags.and(Tag.of(labels.get(i), values[i]));
        }
        return tags;
    }
}
