package dev.distillery.trainer;

import java.time.Duration;

import jakarta.enterprise.context.ApplicationScoped;

/** When the thread that trains last gave a sign of life: it looked for a run, began a step or ended one. */
@ApplicationScoped
class Heartbeat {

    private volatile long last = System.nanoTime();

    void beat() {
        last = System.nanoTime();
    }

    Duration age() {
        return Duration.ofNanos(System.nanoTime() - last);
    }
}
