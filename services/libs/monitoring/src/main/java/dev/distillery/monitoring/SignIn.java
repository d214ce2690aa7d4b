package dev.distillery.monitoring;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import dev.distillery.artifacts.StoreConfig;
import dev.distillery.artifacts.StoreRefusedException;
import dev.distillery.artifacts.StoreUnavailableException;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.StartupEvent;
import io.smallrye.common.annotation.Identifier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.jboss.logging.Logger;

/**
 * Ends the service with exit code 1 when broker or store do not let it in: no later attempt would fare better. What does not
 * answer yet is waited for, by clients and readiness.
 */
@ApplicationScoped
class SignIn {
    private static final Logger LOG = Logger.getLogger(SignIn.class);
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final StoreConfig store;
    private final Map<String, Object> kafka;

    SignIn(StoreConfig store, @Identifier("default-kafka-broker") Map<String, Object> kafka) {
        this.store = store;
        this.kafka = kafka;
    }

    /** After an embedded broker has started, and before channels connect. */
    void check(@Observes @Priority(2) StartupEvent start) {
        kafka().or(this::store).ifPresent(refusal -> {
            LOG.error(refusal);
            Quarkus.asyncExit(1);
        });
    }

    private Optional<String> kafka() {
        Map<String, Object> client = new HashMap<>(kafka);
        client.put("default.api.timeout.ms", (int) PATIENCE.toMillis());
        client.put("request.timeout.ms", (int) PATIENCE.toMillis());
        try (Admin admin = Admin.create(client)) {
            admin.describeCluster().clusterId().get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            return e.getCause() instanceof AuthenticationException
                    ? Optional.of(refused(e.getCause()))
                    : Optional.empty();
        } catch (KafkaException e) {
            return Optional.of(refused(e.getCause() == null ? e : e.getCause())); // a key store that cannot be read
        } catch (TimeoutException e) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return Optional.empty();
    }

    private String refused(Throwable e) {
        return "Kafka at " + kafka.get("bootstrap.servers") + " does not let this service in: " + e.getMessage()
                + "; check kafka.security.protocol, kafka.sasl.* and kafka.ssl.*";
    }

    private Optional<String> store() {
        try {
            new StoreProbe(store, PATIENCE).ask();
            return Optional.empty();
        } catch (StoreRefusedException e) {
            return Optional.of("The store at " + store + " does not let this service in: " + e.getMessage());
        } catch (StoreUnavailableException e) {
            return Optional.empty();
        }
    }
}
