package dev.distillery.standalone.console;

/** Something that the user can put right: the message is for them, complete, and the exit code says whether anything was started. */
public final class UserException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int exitCode;

    private UserException(int exitCode, String message, Throwable cause) {
        super(message, cause);
        this.exitCode = exitCode;
    }

    /** The request or an argument is wrong, and nothing was started. */
    public static UserException badInput(String message) {
        return new UserException(2, message, null);
    }

    /** It was tried and failed. */
    public static UserException failed(String message, Throwable cause) {
        return new UserException(1, message, cause);
    }

    public int exitCode() {
        return exitCode;
    }
}
