package dev.distillery.events;

/**
 * Asks for a run's converted student to be scored.
 *
 * @param name of the evaluation, a DNS label: the same name with the same settings is done once, with others it is refused
 */
public record EvaluateRequest(String run, String name, TrainRequest.Evaluate evaluate) implements Event {
    /** Of a request that names none. */
    static final String DEFAULT_NAME = "held-out";

    private static final String OF_STEP = "step-";

    /** The name of that which a train request asks for, of the weights of a step. */
    public static String nameOf(long step) {
        return OF_STEP + String.format("%08d", step);
    }

    /** Whether a train request asked for it, so that the run is complete only when it is scored. */
    public static boolean isOfTrainRequest(String name) {
        return name.matches(OF_STEP + "\\d{8,}");
    }
}
