package dev.distillery.diffusion.image;

import java.io.IOException;

/** A file that is no image we can use, and why. */
public final class ImageDecodingException extends IOException {
    private static final long serialVersionUID = 1L;

    private final Reason reason;

    /** Few and fixed, so that they can be counted over a data set. */
    public enum Reason {
        EMPTY("the file is empty"),
        UNKNOWN_FORMAT("not an image of a known format"),
        TRUNCATED("the file ends before the image does"),
        TOO_LARGE("too many pixels"),
        CORRUPT("the image cannot be decoded");

        private final String words;

        Reason(String words) {
            this.words = words;
        }

        public String words() {
            return words;
        }
    }

    ImageDecodingException(Reason reason, String detail) {
        super(detail.isEmpty() ? reason.words() : reason.words() + ": " + detail);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}
