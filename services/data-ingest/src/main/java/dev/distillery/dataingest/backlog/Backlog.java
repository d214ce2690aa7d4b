package dev.distillery.dataingest.backlog;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;

import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.StoreException;
import dev.distillery.events.ConsumerGroup;
import dev.distillery.events.Topic;
import dev.distillery.monitoring.Metric;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import io.smallrye.common.annotation.Identifier;
import org.apache.kafka.clients.admin.Admin;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/**
 * Shows what waits in front of all services. Here, because this service always runs, while a trainer is often only there when
 * it has a run: whoever waits for a trainer is seen all the same.
 */
@ApplicationScoped
class Backlog {
    private static final Logger LOG = Logger.getLogger(Backlog.class);

    private final ArtifactStore store;
    private final Map<String, Object> kafka;
    private final String prefix;
    private Admin admin; // made when it is first needed
    private volatile Lags lags;
    private volatile Map<RunStates, Integer> runs = Map.of();

    Backlog(
            ArtifactStore store,
            MeterRegistry registry,
            @Identifier("default-kafka-broker") Map<String, Object> kafka,
            @ConfigProperty(name = "distillery.topics.prefix", defaultValue = Topic.DEFAULT_PREFIX) String prefix) {
        this.store = store;
        this.kafka = kafka;
        this.prefix = prefix;
        for (ConsumerGroup group : ConsumerGroup.values()) {
            for (Topic topic : group.topics()) {
                Metric.LAG.gauge(
                        registry,
                        () -> lags == null
                                ? Double.NaN
                                : lags.waiting().get(group).get(topic),
                        group.id(),
                        topic.topic(prefix));
            }
        }
        Metric.DEAD_LETTERS.gauge(registry, () -> lags == null ? Double.NaN : lags.deadLetters());
        for (RunStates state : RunStates.values()) {
            Metric.RUNS.gauge(registry, () -> runs.getOrDefault(state, 0), state.label());
        }
    }

    @Scheduled(
            identity = "backlog",
            every = "{distillery.backlog.every:15s}",
            concurrentExecution = ConcurrentExecution.SKIP)
    void look() {
        try {
            if (admin == null) {
                admin = Admin.create(new HashMap<>(kafka));
            }
            lags = Lags.ask(admin, prefix);
        } catch (ExecutionException | TimeoutException e) {
            LOG.warnf("The topics cannot be looked at, trying again: reason=%s", e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return;
        }
        try {
            runs = RunStates.count(store);
        } catch (StoreException e) {
            LOG.warnf("The queue cannot be looked at, trying again: reason=%s", e.getMessage());
        }
    }

    @PreDestroy
    void close() {
        if (admin != null) {
            admin.close();
        }
    }
}
