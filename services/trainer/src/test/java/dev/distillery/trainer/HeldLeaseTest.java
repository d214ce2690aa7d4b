package dev.distillery.trainer;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Lease;
import dev.distillery.artifacts.LeaseLostException;
import dev.distillery.artifacts.StoreConfig;
import dev.distillery.artifacts.StoreUnavailableException;
import dev.distillery.embedded.EmbeddedS3;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

/** On a real store that goes away. */
class HeldLeaseTest {

    private static final Duration TTL = Duration.ofSeconds(1);

    @TempDir
    Path dir;

    private EmbeddedS3 s3;

    @BeforeEach
    void start() {
        s3 = EmbeddedS3.start(dir, 0);
    }

    @AfterEach
    void stop() {
        s3.close();
    }

    @Test
    void shouldWaitForTheStoreAndGoOnWhenNobodyTookTheRun() throws Exception {
        try (HeldLease lease = held(Duration.ofMinutes(1))) {
            lease.ensureHeld();
            int port = URI.create(s3.endpoint()).getPort();

            // When
            s3.close();
            await().until(() -> !lease.isHeld());
            CompletableFuture<Void> asked = CompletableFuture.runAsync(lease::ensureHeld);
            s3 = EmbeddedS3.start(dir, port);

            // Then
            asked.get(30, TimeUnit.SECONDS);
            assertThat(lease.isHeld()).isTrue();
        }
    }

    @Test
    void shouldGiveUpWhenTheStoreDoesNotComeBackInTime() {
        try (HeldLease lease = held(Duration.ofSeconds(1))) {
            // When
            s3.close();
            await().until(() -> !lease.isHeld());

            // Then
            assertThatThrownBy(lease::ensureHeld).isInstanceOf(StoreUnavailableException.class);
        }
    }

    @Test
    void shouldBeLostWhenAnotherTookTheRunMeanwhile() {
        try (HeldLease lease = held(Duration.ofMinutes(1))) {
            // Given
            int port = URI.create(s3.endpoint()).getPort();
            s3.close();
            await().until(() -> !lease.isHeld());

            // When the store is back, first for the other
            s3 = EmbeddedS3.start(dir, 0);
            Lease.acquire(store(s3.endpoint(), Duration.ofMinutes(1)), "run", "another", Duration.ofMinutes(1))
                    .orElseThrow();
            s3.close();
            s3 = EmbeddedS3.start(dir, port);

            // Then
            assertThatThrownBy(lease::ensureHeld).isInstanceOf(LeaseLostException.class);
        }
    }

    private HeldLease held(Duration patience) {
        ArtifactStore store = store(s3.endpoint(), patience);
        store.ensureBucket();
        return new HeldLease(Lease.acquire(store, "run", "this", TTL).orElseThrow(), "run", TTL);
    }

    private static ArtifactStore store(String endpoint, Duration patience) {
        return new ArtifactStore(new StoreConfig(
                endpoint, "us-east-1", "distillery", EmbeddedS3.ACCESS_KEY, EmbeddedS3.SECRET_KEY, patience));
    }
}
