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
import dev.distillery.events.MalformedEventException;
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
    private final Semaphore wakeUps = new Semaphore(0);
    private volatile boolean stopping;
    private Thread thread;

    TrainerLoop(ArtifactStore store, TrainerConfig config, RunWorker worker) {
        this.store = store;
        this.config = config;
        this.worker = worker;
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
        while (!stopping) {
            try {
                if (!workOnce()) {
                    wakeUps.tryAcquire(config.poll().toMillis(), TimeUnit.MILLISECONDS);
                    wakeUps.drainPermits();
                }
            } catch (InterruptedException e) {
                return;
            } catch (MalformedEventException e) {
                LOG.errorf("The queue holds what is not a run, delete it: reason=%s", e.getMessage());
                pause();
            } catch (StoreException e) {
                LOG.warnf("The store cannot be used, trying again: reason=%s", e.getMessage());
                pause();
            }
        }
    }

    /** Works on every run that waits, is not paused and is free; false when there was none. */
    private boolean workOnce() {
        boolean worked = false;
        for (DatasetEncoded run : queue.waiting()) {
            if (stopping) {
                return worked;
            }
            if (markers.paused(run.run()) && !markers.cancelled(run.run())) {
                continue;
            }
            Optional<Lease> lease = Lease.acquire(store, run.run(), id, config.leaseTtl());
            if (lease.isPresent()) {
                worked = true;
                work(run, lease.get());
            }
        }
        return worked;
    }

    /** The queue entry goes while the lease is held, so that nobody else takes an ended run. */
    private void work(DatasetEncoded run, Lease lease) {
        try (HeldLease held = new HeldLease(lease, run.run(), config.leaseTtl())) {
            if (worker.work(run, held, () -> stopping)) {
                queue.remove(run.run());
            }
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
