package dev.distillery.dataingest.source;

/**
 * What stands at one position of a source; it may turn out to be unusable.
 *
 * @param where for people: file and row
 * @param image the image file's bytes; null if there are none
 * @param link web address of the image, of a pair that does not have its bytes; else null
 * @param caption null if there is none
 * @param problem why it cannot be used; null if nothing is known of that
 */
public record Pair(String where, byte[] image, String link, String caption, Problem problem) {
    /**
     * @param reason one of few, to be counted
     * @param detail what exactly; empty if there is no more to say
     */
    public record Problem(String reason, String detail) {}

    public Pair(String where, byte[] image, String caption) {
        this(where, image, null, caption, null);
    }

    static Pair linked(String where, String link, String caption) {
        return new Pair(where, null, link, caption, null);
    }

    static Pair unusable(String where, String reason, String detail) {
        return new Pair(where, null, null, null, new Problem(reason, detail));
    }

    /** The same with its image. */
    public Pair with(byte[] bytes) {
        return new Pair(where, bytes, link, caption, problem);
    }

    /** The same, whose image cannot be had. */
    public Pair unusable(String reason, String detail) {
        return new Pair(where, null, link, caption, new Problem(reason, detail));
    }
}
