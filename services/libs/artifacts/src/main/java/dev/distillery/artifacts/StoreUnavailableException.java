package dev.distillery.artifacts;

/** The store did not answer, or could not, in spite of several tries: later it may. */
public final class StoreUnavailableException extends StoreException {
    private static final long serialVersionUID = 1L;

    public StoreUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }
}
