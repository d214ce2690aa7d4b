package dev.distillery.dataingest.source;

import java.io.IOException;

/** A source that cannot be used as the request says, in words that its author can act on. */
public final class SourceException extends IOException {
    private static final long serialVersionUID = 1L;

    private final String field;

    /** @param field the request's field that would have to change, such as {@code dataset.caption} */
    public SourceException(String field, String message) {
        super(message);
        this.field = field;
    }

    public String field() {
        return field;
    }
}
