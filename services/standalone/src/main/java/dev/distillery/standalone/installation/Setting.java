package dev.distillery.standalone.installation;

/**
 * A value and who said it.
 *
 * @param source for people: a flag, a variable, or a file and the key in it
 */
record Setting(String value, String source) {
    /** Without the value, which may be a secret. */
    @Override
    public String toString() {
        return source;
    }
}
