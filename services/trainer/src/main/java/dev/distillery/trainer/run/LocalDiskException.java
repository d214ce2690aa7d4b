package dev.distillery.trainer.run;

import java.io.IOException;

/** What a run has to write on this machine could not be written, however long that was waited for. */
public final class LocalDiskException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    LocalDiskException(String message, IOException cause) {
        super(message, cause);
    }
}
