package dev.distillery.events;

/**
 * Asks for something to be done about a run; the action is {@code cancel}, {@code pause}, {@code resume} or {@code extend}.
 *
 * @param epochs to extend to, in all; null unless the run is to be extended and counts epochs
 * @param steps to extend to, in all; null unless the run is to be extended and counts steps
 */
public record RunControl(String run, String action, Integer epochs, Integer steps) implements Event {
    public RunControl(String run, String action) {
        this(run, action, null, null);
    }
}
