package dev.distillery.dataingest;

import java.time.Duration;

import jakarta.enterprise.context.ApplicationScoped;

import dev.distillery.dataingest.shard.DatasetIngest;
import dev.distillery.dataingest.shard.ShardNote;
import dev.distillery.monitoring.Metric;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.Startup;

/** Counts what goes into shards and what does not. */
@Startup // its meters are there before the first event: an increase from nothing is not seen
@ApplicationScoped
class IngestMeters implements DatasetIngest.Filled {
    private final MeterRegistry registry;

    IngestMeters(MeterRegistry registry) {
        this.registry = registry;
        Metric.INGEST_PAIRS.counter(registry);
        Metric.INGEST_SHARD.timer(registry);
    }

    @Override
    public void shard(ShardNote shard, Duration took) {
        Metric.INGEST_PAIRS.counter(registry).increment(shard.pairs());
        shard.reasons()
                .forEach((reason, pairs) ->
                        Metric.INGEST_SKIPPED.counter(registry, reason).increment(pairs));
        if (shard.pairs() > 0) {
            Metric.INGEST_SHARD.timer(registry).record(took);
        }
    }
}
