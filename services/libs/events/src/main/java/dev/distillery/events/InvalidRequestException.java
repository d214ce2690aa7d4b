package dev.distillery.events;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** A request breaks the contract; names every wrong field, or the first hundred. */
public final class InvalidRequestException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private static final int MOST = 100;

    private final transient List<Violation> violations;

    public InvalidRequestException(List<Violation> violations) {
        super(Excerpt.ofMessage(violations.stream()
                .limit(MOST)
                .map(v -> "'" + v.path() + "' " + v.message() + " but was " + v.value())
                .collect(Collectors.joining("; "))));
        this.violations = first(violations);
    }

    private static List<Violation> first(List<Violation> all) {
        if (all.size() <= MOST) {
            return List.copyOf(all);
        }
        List<Violation> first = new ArrayList<>(all.subList(0, MOST));
        first.add(new Violation("", "", "and " + (all.size() - MOST) + " more fields are wrong"));
        return List.copyOf(first);
    }

    public List<Violation> violations() {
        return violations;
    }
}
