package dev.distillery.events;

import java.util.List;
import java.util.stream.Collectors;

/** A request breaks the contract; names every wrong field. */
public final class InvalidRequestException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient List<Violation> violations;

    public InvalidRequestException(List<Violation> violations) {
        super(violations.stream()
                .map(v -> "'" + v.path() + "' " + v.message() + " but was " + v.value())
                .collect(Collectors.joining("; ")));
        this.violations = List.copyOf(violations);
    }

    public List<Violation> violations() {
        return violations;
    }
}
