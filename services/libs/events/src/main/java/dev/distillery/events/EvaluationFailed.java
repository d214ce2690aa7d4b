package dev.distillery.events;

/** The student could not be scored; what was converted is as good as before. A reason of great length is cut short. */
public record EvaluationFailed(String run, String name, String reason, String advice) implements RunEvent {
    public EvaluationFailed {
        reason = Excerpt.ofMessage(reason);
    }

    /** With what a failure says, or what it is where it says nothing by itself. */
    public static EvaluationFailed because(Throwable failure, String run, String name, String advice) {
        return new EvaluationFailed(run, name, Excerpt.reason(failure), advice);
    }
}
