package dev.distillery.artifacts;

/** The store answered, and said no: trying again would not help. */
public final class StoreRefusedException extends StoreException {
    public StoreRefusedException(String message, Throwable cause) {
        super(message, cause);
    }
}
