package dev.distillery.events;

/**
 * A wrong field of a request: where it is, what it was, and what is allowed. What a request says at length is cut short, so that
 * its answer is never larger than a broker takes.
 */
public record Violation(String path, String value, String message) {
    public Violation {
        path = Excerpt.of(path);
        value = Excerpt.of(value);
        message = Excerpt.ofMessage(message);
    }
}
