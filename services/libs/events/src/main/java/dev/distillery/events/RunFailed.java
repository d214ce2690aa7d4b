package dev.distillery.events;

/** A stage gave up, and what the user can do about it; a reason of great length is cut short. */
public record RunFailed(String run, String stage, String reason, String advice) implements RunEvent {
    public RunFailed {
        reason = Excerpt.ofMessage(reason);
    }

    /** With what a failure says, or what it is where it says nothing by itself. */
    public static RunFailed because(Throwable failure, String run, String stage, String advice) {
        return new RunFailed(run, stage, Excerpt.reason(failure), advice);
    }
}
