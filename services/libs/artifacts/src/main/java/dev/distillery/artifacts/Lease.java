package dev.distillery.artifacts;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

import com.fasterxml.jackson.databind.ObjectMapper;

/** The right to work on a run, as an object of the store that its holder renews. */
public final class Lease {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ArtifactStore store;
    private final String key;
    private final String owner;
    private final Duration ttl;
    private String etag;

    private record Body(String owner, String until, boolean released) {
        boolean holds() {
            return !released && Instant.parse(until).isAfter(Instant.now());
        }
    }

    private Lease(ArtifactStore store, String key, String owner, Duration ttl, String etag) {
        this.store = store;
        this.key = key;
        this.owner = owner;
        this.ttl = ttl;
        this.etag = etag;
    }

    public static Optional<Lease> acquire(ArtifactStore store, String run, String owner, Duration ttl) {
        String key = Keys.lease(run);
        byte[] body = body(owner, ttl, false);
        Optional<ObjectInfo> there = store.stat(key);
        if (there.isEmpty()) {
            if (!store.createIfAbsent(key, body)) {
                return Optional.empty();
            }
            return store.stat(key).map(info -> new Lease(store, key, owner, ttl, info.etag()));
        }
        Body held = read(store, key);
        return held.holds() && !held.owner().equals(owner)
                ? Optional.empty()
                : store.replaceIfMatch(key, body, there.get().etag())
                        .map(etag -> new Lease(store, key, owner, ttl, etag));
    }

    /** Whether somebody works on the run now. */
    public static boolean isHeld(ArtifactStore store, String run) {
        String key = Keys.lease(run);
        return store.stat(key).isPresent() && read(store, key).holds();
    }

    private static Body read(ArtifactStore store, String key) {
        try {
            return JSON.readValue(store.read(key), Body.class);
        } catch (IOException e) {
            throw new ArtifactCorruptException(key + ": " + e.getMessage());
        }
    }

    public synchronized void renew() {
        write(false);
    }

    public synchronized void release() {
        write(true);
    }

    private void write(boolean released) {
        etag = store.replaceIfMatch(key, body(owner, ttl, released), etag)
                .orElseThrow(() -> new LeaseLostException(key + " was taken over"));
    }

    private static byte[] body(String owner, Duration ttl, boolean released) {
        try {
            return JSON.writeValueAsBytes(
                    new Body(owner, Instant.now().plus(ttl).toString(), released));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
