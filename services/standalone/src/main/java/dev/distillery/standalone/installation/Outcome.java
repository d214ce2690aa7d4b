package dev.distillery.standalone.installation;

import dev.distillery.events.RunCancelled;
import dev.distillery.events.RunCompleted;
import dev.distillery.events.RunEvent;
import dev.distillery.events.RunFailed;
import dev.distillery.events.RunRejected;
import dev.distillery.standalone.console.RequestFile;
import dev.distillery.standalone.console.UserException;

/** How a run ended, in words and as an exit code. */
public final class Outcome {
    private Outcome() {}

    static boolean ends(RunEvent event) {
        return event instanceof RunCompleted
                || event instanceof RunFailed
                || event instanceof RunRejected
                || event instanceof RunCancelled;
    }

    /**
     * @param details where more is told of a failure
     * @param otherwise what a rejected request can do beside taking another name
     * @throws UserException for every end but a completed run
     */
    public static RunCompleted completed(RunEvent event, String details, String otherwise) {
        if (event instanceof RunCompleted completed) {
            return completed;
        } else if (event instanceof RunFailed e) {
            throw UserException.failed(
                    "The run failed in stage '" + e.stage() + "': " + e.reason()
                            + (e.advice() == null ? "" : "\n" + e.advice()) + "\nDetails: " + details,
                    null);
        } else if (event instanceof RunRejected e) {
            throw UserException.badInput("The request was rejected:\n" + RequestFile.describe(e.violations())
                    + "\nA name stands for one request: choose another 'run'" + otherwise + ".");
        } else if (event instanceof RunCancelled e) {
            throw UserException.failed("The run was cancelled in stage '" + e.stage() + "'.", null);
        }
        throw new IllegalArgumentException("not an end: " + event);
    }
}
