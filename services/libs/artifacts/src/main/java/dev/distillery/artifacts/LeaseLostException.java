package dev.distillery.artifacts;

/** Somebody else has taken the lease over: whoever held it must stop writing. */
public final class LeaseLostException extends StoreException {
    private static final long serialVersionUID = 1L;

    public LeaseLostException(String message) {
        super(message, null);
    }
}
