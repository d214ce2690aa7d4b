package dev.distillery.trainer;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Lease;
import dev.distillery.artifacts.StoreException;
import dev.distillery.events.DatasetEncoded;
import dev.distillery.monitoring.LogContext;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import org.jboss.logging.Logger;

/**
 * Takes runs from the queue, one at a time, as long as this process lives. A run is taken by its lease, so that several
 * trainers share a queue, and a run whose trainer died is taken up by the next that finds its lease stale.
 */
@ApplicationScoped
class TrainerLoop {

    private static final Logger LOG = Logger.getLogger(TrainerLoop.class);
    private static final long SHUTDOWN_SECONDS = 120; // a step of a large model and its checkpoint

    private final ArtifactStore store;
    private final TrainerConfig config;
    private final RunWorker worker;
    private final RunQueue queue;
    private final RunMarkers markers;
    private final String id;
    private final Heartbeat heartbeat;
    private final RunTraces traces;
    private final Semaphore wakeUps = new Semaphore(0);
    private volatile boolean stopping;
    private int worked;
    private Thread thread;

    TrainerLoop(ArtifactStore store, TrainerConfig config, RunWorker worker, Heartbeat heartbeat, RunTraces traces) {
        this.store = store;
        this.config = config;
        this.worker = worker;
        this.heartbeat = heartbeat;
        this.traces = traces;
        this.queue = new RunQueue(store);
        this.markers = new RunMarkers(store);
        this.id = config.id().orElseGet(TrainerLoop::defaultId);
    }

    void start(@Observes StartupEvent event) {
        List<String> devices = worker.devices(); // wrong ones stop the service before it takes a run
        thread = new Thread(this::loop, "trainer");
        thread.start();
        LOG.infof("Trainer waits for runs: trainer=%s devices=%s", id, devices);
    }

    void stop(@Observes ShutdownEvent event) throws InterruptedException {
        stopping = true;
        wake();
        thread.join(TimeUnit.SECONDS.toMillis(SHUTDOWN_SECONDS));
    }

    /** Looks at the queue now rather than at the next poll. */
    void wake() {
        wakeUps.release();
    }

    /** False when the thread that trains has died, which only a restart can mend. */
    boolean alive() {
        return thread != null && thread.isAlive();
    }

    private void loop() {
        long idleSince = System.nanoTime();
        while (!stopping) {
            heartbeat.beat();
            try {
                boolean any = workOnce();
                if (worked >= mostRuns()) {
                    end("it has worked on " + worked + (worked == 1 ? " run" : " runs"));
                } else if (any) {
                    idleSince = System.nanoTime();
                } else if (idleFor(idleSince)) {
                    end("there was nothing to do for " + config.idleTimeout().get());
                } else {
                    wakeUps.tryAcquire(config.poll().toMillis(), TimeUnit.MILLISECONDS);
                    wakeUps.drainPermits();
                }
            } catch (InterruptedException e) {
                return;
            } catch (StoreException e) {
                LOG.warnf("The store cannot be used, trying again: reason=%s", e.getMessage());
                pause();
            }
        }
    }

    private int mostRuns() {
        return config.runs().orElse(Integer.MAX_VALUE);
    }

    private boolean idleFor(long since) {
        return config.idleTimeout()
                .filter(timeout -> System.nanoTime() - since > timeout.toNanos())
                .isPresent();
    }

    /** The process ends as at a signal: what is under way is finished first. */
    private void end(String why) {
        LOG.infof("Trainer ends: trainer=%s reason=%s", id, why);
        stopping = true;
        Quarkus.asyncExit();
    }

    /** Works on every run that waits, is not paused and is free; false when there was none. */
    private boolean workOnce() {
        boolean any = false;
        for (DatasetEncoded run : queue.waiting()) {
            if (stopping || worked >= mostRuns()) {
                return any;
            }
            if (markers.paused(run.run()) && !markers.cancelled(run.run())) {
                continue;
            }
            Optional<Lease> lease = Lease.acquire(store, run.run(), id, config.leaseTtl());
            if (lease.isPresent()) {
                any = true;
                worked++;
                traces.inTraceOf(run.run(), () -> work(run, lease.get()));
            }
        }
        return any;
    }

    /** The queue entry goes while the lease is held, so that nobody else takes an ended run. */
    private void work(DatasetEncoded run, Lease lease) {
        try (LogContext context = LogContext.of(run.run(), RunEvents.STAGE);
                HeldLease held = new HeldLease(lease, run.run(), config.leaseTtl())) {
            LOG.infof("Takes the run: run=%s pairs=%d", run.run(), run.pairs());
            boolean ended = worker.work(run, held, () -> stopping);
            if (ended) {
                queue.remove(run.run());
            }
            LOG.infof("Leaves the run: run=%s ended=%b", run.run(), ended);
        }
    }

    private void pause() {
        try {
            Thread.sleep(config.poll().toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static String defaultId() {
        String host;
        try {
            host = InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            host = "trainer";
        }
        return host + "-" + ProcessHandle.current().pid();
    }
}
