package dev.distillery.dataingest.source.web;

import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** So many requests to a host at once, and none while it asks for a pause. */
final class HostTurns {
    private final int most;
    private final Map<String, Host> hosts = new HashMap<>(); // those in use only: a list may name millions

    private static final class Host {
        int open;
        long notBefore = System.nanoTime();
    }

    HostTurns(int most) {
        this.most = most;
    }

    /** Waits for a turn, which {@link #leave} gives back. */
    synchronized void enter(String name) throws InterruptedIOException {
        try {
            while (true) {
                Host host = hosts.computeIfAbsent(name, n -> new Host());
                long pause = host.notBefore - System.nanoTime();
                if (host.open < most && pause <= 0) {
                    host.open++;
                    return;
                }
                TimeUnit.NANOSECONDS.timedWait(this, host.open < most ? pause : TimeUnit.MINUTES.toNanos(1));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
    }

    synchronized void leave(String name) {
        Host host = hosts.get(name);
        host.open--;
        if (host.open == 0 && host.notBefore <= System.nanoTime()) {
            hosts.remove(name);
        }
        notifyAll();
    }

    /** To be called before {@link #leave}. */
    synchronized void pause(String name, Duration wait) {
        Host host = hosts.get(name);
        host.notBefore = Math.max(host.notBefore, System.nanoTime() + wait.toNanos());
    }
}
