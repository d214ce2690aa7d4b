package dev.distillery.standalone.console;

import java.io.PrintWriter;

/** What a failure says to the user: one message that tells what to do, never a stack trace. */
public final class Failures {
    private Failures() {}

    /** Prints the failure; returns the exit code. */
    public static int report(PrintWriter err, Throwable failure) {
        if (failure instanceof UserException user) {
            err.println(user.getMessage());
            return user.exitCode();
        }
        OutOfMemoryError memory = cause(failure, OutOfMemoryError.class);
        if (memory != null) {
            err.println("Out of memory (" + memory.getMessage() + "), with a Java heap of "
                    + (Runtime.getRuntime().maxMemory() >> 20)
                    + " MiB. Give Java more (java -Xmx4g -jar ...), or ask for a smaller 'train.batch'.");
            return 1;
        }
        err.println("Failed: " + explain(failure));
        return 1;
    }

    /** The messages from the outermost to the root, without repeating one within another. */
    public static String explain(Throwable failure) {
        StringBuilder text = new StringBuilder();
        for (Throwable t = failure; t != null; t = t.getCause()) {
            String message = t.getMessage() == null ? t.getClass().getSimpleName() : t.getMessage();
            if (text.indexOf(message) < 0) {
                text.append(text.isEmpty() ? "" : "; because: ").append(message);
            }
        }
        return text.toString();
    }

    private static <T> T cause(Throwable failure, Class<T> type) {
        Throwable t = failure;
        while (t != null && !type.isInstance(t)) {
            t = t.getCause();
        }
        return type.cast(t);
    }
}
