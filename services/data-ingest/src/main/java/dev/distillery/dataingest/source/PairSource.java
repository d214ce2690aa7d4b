package dev.distillery.dataingest.source;

import java.io.IOException;

/** Pairs one after another, always in the same order. */
public interface PairSource {
    /** How many pairs there are; an estimate where counting would mean fetching everything. */
    long size() throws IOException;

    /** Whether pairs may name an image's web address instead of having its bytes. */
    default boolean hasLinks() {
        return false;
    }

    /** Reads on from a position, counted from 0 over all that the source lists, usable or not. */
    Cursor from(long position) throws IOException;

    /** One reading, by one thread. */
    interface Cursor extends AutoCloseable {
        /** The next pair, or null at the end. */
        Pair next() throws IOException;

        @Override
        void close() throws IOException;
    }
}
