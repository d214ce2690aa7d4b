package dev.distillery.hub;

import java.io.IOException;

/** A Hub's "no", which asking again will not change. The message goes on after the repository's name. */
public final class HubException extends IOException {
    private static final long serialVersionUID = 1L;

    private final int status;

    /** @param status of HTTP; 0 if the Hub answered, but not as it should */
    HubException(int status, String message) {
        super(message);
        this.status = status;
    }

    int status() {
        return status;
    }
}
