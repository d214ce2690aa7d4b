package dev.distillery.trainer;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

import dev.distillery.artifacts.Lease;
import dev.distillery.artifacts.LeaseLostException;
import dev.distillery.artifacts.StoreUnavailableException;
import org.jboss.logging.Logger;

/** A lease that is renewed from a thread of its own until it is released or lost. */
final class HeldLease implements AutoCloseable {

    private static final Logger LOG = Logger.getLogger(HeldLease.class);
    private static final int RENEWALS_PER_TTL = 3;

    private final Lease lease;
    private final String run;
    private final long ttlNanos;
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "lease-renewal");
        thread.setDaemon(true);
        return thread;
    });
    private volatile LeaseLostException lost;
    private volatile long renewed = System.nanoTime();

    HeldLease(Lease lease, String run, Duration ttl) {
        this.lease = lease;
        this.run = run;
        this.ttlNanos = ttl.toNanos();
        long period = ttlNanos / RENEWALS_PER_TTL;
        timer.scheduleWithFixedDelay(this::renew, period, period, TimeUnit.NANOSECONDS);
    }

    private void renew() {
        try {
            long asked = System.nanoTime();
            lease.renew();
            renewed = asked;
        } catch (LeaseLostException e) {
            lost = e;
            timer.shutdown();
        } catch (StoreUnavailableException e) {
            LOG.warnf("Lease not renewed, trying again: run=%s reason=%s", run, e.getMessage());
        }
    }

    /**
     * Throws when the lease was lost, or could not be renewed for so long that another trainer may have taken it.
     */
    void ensureHeld() {
        if (lost != null) {
            throw lost;
        }
        if (!isHeld()) {
            throw new LeaseLostException("The lease of run '" + run + "' could not be renewed in time");
        }
    }

    boolean isHeld() {
        return lost == null && System.nanoTime() - renewed <= ttlNanos;
    }

    /** Stops renewing and gives the lease back, if it is still held. */
    @Override
    public void close() {
        timer.shutdownNow();
        if (lost == null) {
            try {
                lease.release();
            } catch (LeaseLostException | StoreUnavailableException e) {
                LOG.warnf("Lease not released, it becomes stale by itself: run=%s reason=%s", run, e.getMessage());
            }
        }
    }
}
