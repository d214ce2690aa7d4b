package dev.distillery.dataingest.setup;

/** What is missing or refused, in words for whoever installs. */
final class SetupException extends Exception {
    private static final long serialVersionUID = 1L;

    SetupException(String message) {
        super(message);
    }
}
