package dev.distillery.events;

import java.util.Locale;

/** An event about a run. Events refer to artifacts and never carry them. */
public interface Event {
    String run();

    /** The CloudEvents type, {@code dev.distillery.<name>.v1} with the name as in {@code dataset-encoded}. */
    static String typeOf(Class<? extends Event> event) {
        return "dev.distillery." + nameOf(event) + ".v1";
    }

    /** Such as {@code dataset-encoded}. */
    static String nameOf(Class<? extends Event> event) {
        return event.getSimpleName().replaceAll("([a-z])([A-Z])", "$1-$2").toLowerCase(Locale.ROOT);
    }
}
