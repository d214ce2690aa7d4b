package dev.distillery.events;

import java.util.regex.Pattern;

/**
 * A text that came from outside, as short as a message can bear it, and without the credentials of addresses: what a sender makes
 * long must not make answers and logs long, nor tell others what he told by mistake.
 */
public final class Excerpt {
    private static final int MOST_OF_A_VALUE = 200;
    private static final int MOST_OF_A_MESSAGE = 2000;
    /** What stands in an address before its host: perhaps a password. */
    private static final Pattern CREDENTIALS = Pattern.compile("://[^/@\\s]*+@");

    private Excerpt() {}

    /** The beginning of a value, and how long it was. */
    public static String of(String value) {
        return of(value, MOST_OF_A_VALUE);
    }

    /** As {@link #of(String)}, of a sentence that holds values. */
    static String ofMessage(String message) {
        return of(message, MOST_OF_A_MESSAGE);
    }

    /** What a failure says, or what it is where it says nothing by itself; whole. */
    static String reason(Throwable failure) {
        boolean told = failure.getMessage() != null && failure instanceof Exception;
        return told ? failure.getMessage() : failure.toString();
    }

    private static String of(String text, int most) {
        if (text == null) {
            return null;
        }
        String safe = CREDENTIALS.matcher(text).replaceAll("://***@");
        return safe.length() <= most ? safe : safe.substring(0, most) + "... (" + safe.length() + " characters)";
    }
}
