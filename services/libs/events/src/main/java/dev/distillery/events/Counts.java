package dev.distillery.events;

/** Numbers in events are counts and positions: others would be taken for work without end, or for names of nothing. */
final class Counts {
    /** Of the shards of a data set. */
    static final int MOST_SHARDS = 10_000_000;

    /** Of an evaluation. */
    static final int MOST_PARTS = 100_000;

    private Counts() {}

    /** @throws IllegalArgumentException naming the field */
    static void require(String field, long value, long least, long most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(
                    "'" + field + "' must be from " + least + " to " + most + " but was " + value);
        }
    }
}
