package dev.distillery.dataingest.source;

/**
 * What stands at one position of a source; it may turn out to be unusable.
 *
 * @param where for people: file and row
 * @param image the image file's bytes; null if there are none
 * @param caption null if there is none
 * @param problem why it cannot be used, one reason of few; null if nothing is known of that
 */
public record Pair(String where, byte[] image, String caption, String problem) {
    public Pair(String where, byte[] image, String caption) {
        this(where, image, caption, null);
    }

    static Pair unusable(String where, String problem) {
        return new Pair(where, null, null, problem);
    }
}
