package dev.distillery.dataingest.shard;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

import dev.distillery.dataingest.source.Pair;
import dev.distillery.dataingest.source.PairSource;
import dev.distillery.diffusion.image.ImageDecodingException;
import dev.distillery.diffusion.image.InOrder;
import dev.distillery.diffusion.image.RgbImage;
import dev.distillery.events.TrainRequest;

/**
 * Reads on to pairs with a caption and an image that decodes and that the request wants, and takes down what it passes over.
 * Images are decoded by all cores.
 */
public final class UsablePairs implements AutoCloseable {
    private final PairSource.Cursor cursor;
    private final PairFilter filter;
    private final SeenImages seen;
    private final InOrder<Pair, Looked> pairs;
    private final List<Skipped> skipped = new ArrayList<>();
    private long position;

    /**
     * What a look at a pair has found.
     *
     * @param problem why it cannot be used; null if it can
     * @param digest of its image, if duplicates are dropped and it can be used
     */
    private record Looked(Skipped problem, long digest) {}

    /** All those of a source that a request wants. */
    public static UsablePairs of(PairSource source, TrainRequest.Filter wanted) throws IOException {
        return new UsablePairs(source.from(0), 0, new PairFilter(wanted), new SeenImages());
    }

    /** @param position where the cursor stands in its source */
    UsablePairs(PairSource.Cursor cursor, long position, PairFilter filter, SeenImages seen) {
        this.cursor = cursor;
        this.position = position;
        this.filter = filter;
        this.seen = seen;
        this.pairs = new InOrder<>(cursor::next, this::look, pair -> pair.image() == null ? 0 : pair.image().length);
    }

    /** The next usable pair, which stays the next one until it is taken; null at the end. */
    public Pair peek() throws IOException {
        for (Pair pair = pairs.item(); pair != null; pair = pairs.item()) {
            Looked looked = pairs.result();
            Skipped problem = looked.problem;
            if (problem == null && filter.dropsDuplicates() && seen.has(looked.digest)) {
                problem = new Skipped(pair.where(), "duplicate image", "");
            }
            if (problem == null) {
                return pair;
            }
            skipped.add(problem);
            pass();
        }
        return null;
    }

    /** Goes past the pair that {@link #peek} gave. */
    public void take() throws IOException {
        if (filter.dropsDuplicates()) {
            seen.add(pairs.result().digest);
        }
        pass();
    }

    private void pass() {
        pairs.pass();
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

    private Looked look(Pair pair) {
        Skipped problem = problem(pair);
        boolean digested = problem == null && filter.dropsDuplicates();
        return new Looked(problem, digested ? SeenImages.digest(pair.image()) : 0);
    }

    private Skipped problem(Pair pair) {
        if (pair.problem() != null) {
            return new Skipped(
                    pair.where(), pair.problem().reason(), pair.problem().detail());
        }
        if (pair.caption() == null || pair.caption().isBlank()) {
            return new Skipped(pair.where(), "no caption", "");
        }
        String unwanted = filter.problem(pair.caption());
        if (unwanted != null) {
            return new Skipped(pair.where(), unwanted, pair.caption().length() + " characters");
        }
        if (pair.image() == null) {
            return new Skipped(pair.where(), "no image", "");
        }
        try {
            RgbImage image = RgbImage.decode(pair.image());
            unwanted = filter.problem(image);
            return unwanted == null
                    ? null
                    : new Skipped(pair.where(), unwanted, image.width() + "x" + image.height() + " pixels");
        } catch (ImageDecodingException e) {
            return new Skipped(pair.where(), e.reason().words(), e.getMessage());
        }
    }

    @Override
    public void close() throws IOException {
        pairs.close();
        cursor.close();
    }
}
