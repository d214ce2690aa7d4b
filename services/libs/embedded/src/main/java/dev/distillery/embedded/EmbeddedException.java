package dev.distillery.embedded;

/** An embedded part did not start, or not stop; the message names the folder or the port. */
public final class EmbeddedException extends RuntimeException {
    public EmbeddedException(String message, Throwable cause) {
        super(message, cause);
    }
}
