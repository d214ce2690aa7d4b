package dev.distillery.artifacts;

import java.time.Duration;

/** Told of every request to the store, on the thread that made it. */
public interface StoreCalls {
    int NO_ANSWER = 0;

    /** Tells nobody. */
    StoreCalls UNTOLD = (method, status, took) -> {};

    /**
     * @param method of HTTP
     * @param status of HTTP, or {@link #NO_ANSWER}
     * @param took until the answer began
     */
    void answered(String method, int status, Duration took);
}
