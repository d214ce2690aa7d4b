package dev.distillery.dataingest.shard;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

import dev.distillery.dataingest.source.Pair;
import dev.distillery.dataingest.source.PairSource;
import dev.distillery.diffusion.image.ImageDecodingException;
import dev.distillery.diffusion.image.RgbImage;

/** Reads on to pairs with a caption and an image that decodes, and takes down what it passes over. */
public final class UsablePairs implements AutoCloseable {
    private final PairSource.Cursor cursor;
    private final List<Skipped> skipped = new ArrayList<>();
    private long position;
    private Pair ahead;

    /** @param position where the cursor stands in its source */
    public UsablePairs(PairSource.Cursor cursor, long position) {
        this.cursor = cursor;
        this.position = position;
    }

    /** The next usable pair, which stays the next one until it is taken; null at the end. */
    public Pair peek() throws IOException {
        while (ahead == null) {
            Pair pair = cursor.next();
            if (pair == null) {
                return null;
            }
            Skipped problem = problem(pair);
            if (problem == null) {
                ahead = pair;
            } else {
                skipped.add(problem);
                position++;
            }
        }
        return ahead;
    }

    /** Goes past the pair that {@link #peek} gave. */
    public void take() {
        ahead = null;
        position++;
    }

    /** How many pairs of the source were taken or skipped. */
    public long position() {
        return position;
    }

    /** What was skipped since this was asked last. */
    public List<Skipped> skipped() {
        List<Skipped> since = List.copyOf(skipped);
        skipped.clear();
        return since;
    }

    private static Skipped problem(Pair pair) {
        if (pair.problem() != null) {
            return new Skipped(pair.where(), pair.problem(), "");
        }
        if (pair.caption() == null || pair.caption().isBlank()) {
            return new Skipped(pair.where(), "no caption", "");
        }
        if (pair.image() == null) {
            return new Skipped(pair.where(), "no image", "");
        }
        try {
            RgbImage.decode(pair.image());
            return null;
        } catch (ImageDecodingException e) {
            return new Skipped(pair.where(), e.reason().words(), e.getMessage());
        }
    }

    @Override
    public void close() throws IOException {
        cursor.close();
    }
}
