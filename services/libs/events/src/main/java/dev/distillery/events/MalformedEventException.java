package dev.distillery.events;

/** A record is not the event that its topic carries. Trying again cannot help: it belongs in the dead letters. */
public final class MalformedEventException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public MalformedEventException(String message, Throwable cause) {
        super(Excerpt.ofMessage(message), cause);
    }
}
