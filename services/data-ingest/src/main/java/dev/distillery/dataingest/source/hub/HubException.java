package dev.distillery.dataingest.source.hub;

import java.io.IOException;

/** A Hub's "no", which asking again will not change. The message goes on after the repository's name. */
final class HubException extends IOException {
    private static final long serialVersionUID = 1L;

    HubException(String message) {
        super(message);
    }
}
