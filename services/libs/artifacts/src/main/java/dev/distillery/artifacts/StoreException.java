package dev.distillery.artifacts;

/** Something went wrong with the store; the subclasses say whether trying again can help. */
public abstract class StoreException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    protected StoreException(String message, Throwable cause) {
        super(message, cause);
    }
}
