package dev.distillery.latentencoding;

import java.io.IOException;

/** What is made of a shard could not be written on this machine, which is no fault of the shard. */
public final class LocalDiskException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    LocalDiskException(IOException cause) {
        super("this machine's disk: " + cause.getMessage(), cause);
    }
}
