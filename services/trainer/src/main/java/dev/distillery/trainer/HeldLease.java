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
    private LeaseLostException lost;
    private StoreUnavailableException unavailable;
    private long renewed = System.nanoTime();

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
            note(asked, null, null);
        } catch (LeaseLostException e) {
            note(renewed, e, null);
            timer.shutdown();
        } catch (StoreUnavailableException e) {
            note(renewed, null, e);
            LOG.warnf("Lease not renewed, trying again: run=%s reason=%s", run, e.getMessage());
        }
    }

    private synchronized void note(long asked, LeaseLostException taken, StoreUnavailableException unanswered) {
        renewed = asked;
        lost = taken;
        unavailable = unanswered;
        notifyAll();
    }

    /**
     * Returns when the lease is held. Nobody can tell while the store does not answer for longer than the lease holds, so
     * that this waits for an answer then, as long as the store is tried.
     *
     * @throws LeaseLostException when another trainer has it
     * @throws StoreUnavailableException when the store was given up
     */
    synchronized void ensureHeld() {
        while (lost == null && unavailable == null && stale()) {
            LOG.warnf("Waiting for the store to renew the lease: run=%s", run);
            try {
                wait();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new LeaseLostException("Interrupted before the lease of run '" + run + "' could be renewed");
            }
        }
        if (lost != null) {
            throw lost;
        }
        if (stale()) {
            throw unavailable;
        }
    }

    synchronized boolean isHeld() {
        return lost == null && !stale();
    }

    private boolean stale() {
        return System.nanoTime() - renewed > ttlNanos;
    }

    private synchronized boolean isLost() {
        return lost != null;
    }

    /** Stops renewing and gives the lease back, if it is still held. */
    @Override
    public void close() {
        timer.shutdownNow();
        if (!isLost()) {
            try {
                lease.release();
            } catch (LeaseLostException | StoreUnavailableException e) {
                LOG.warnf("Lease not released, it becomes stale by itself: run=%s reason=%s", run, e.getMessage());
            }
        }
    }
}
