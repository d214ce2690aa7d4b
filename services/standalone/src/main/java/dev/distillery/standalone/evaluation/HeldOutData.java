package dev.distillery.standalone.evaluation;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import dev.distillery.artifacts.Digest;
import dev.distillery.dataingest.shard.UsablePairs;
import dev.distillery.dataingest.source.Captions;
import dev.distillery.dataingest.source.LocalTree;
import dev.distillery.dataingest.source.Pair;
import dev.distillery.dataingest.source.PairSources;
import dev.distillery.dataingest.source.SourceException;
import dev.distillery.evaluator.score.HeldOutImage;
import dev.distillery.events.TrainRequest;
import dev.distillery.standalone.console.UserException;

/**
 * Pairs that a student is scored on; only those that can be used count. They are read as they are needed: the 30,000 of the
 * published protocol are more than memory holds.
 *
 * @param image column or field of the images
 * @param caption that of the captions
 * @param first position of the first pair
 */
record HeldOutData(Path data, String image, String caption, int first, int count) {

    /**
     * Of the captions and image files, in their order.
     *
     * @throws UserException if there are not so many pairs, or the data cannot be read
     */
    String sha256() throws IOException {
        var digest = new Digest();
        try (Reader pairs = open()) {
            for (int i = 0; i < count; i++) {
                pairs.next().addTo(digest);
            }
        }
        return digest.hex();
    }

    /** @throws UserException if the data cannot be read */
    Reader open() throws IOException {
        try {
            LocalTree tree = Files.isRegularFile(data) ? LocalTree.onlyFile(data) : new LocalTree(data);
            return new Reader(
                    UsablePairs.of(PairSources.open(tree, image, Captions.of(caption)), TrainRequest.Filter.NONE));
        } catch (SourceException e) {
            throw refused(e);
        }
    }

    private UserException refused(SourceException e) {
        return UserException.badInput("--data " + data + ": " + e.getMessage());
    }

    /** Stands at the first pair. */
    final class Reader implements AutoCloseable {
        private final UsablePairs pairs;
        private int position;

        private Reader(UsablePairs pairs) throws IOException {
            this.pairs = pairs;
            while (position < first) {
                next();
            }
        }

        List<HeldOutImage> next(int wanted) throws IOException {
            List<HeldOutImage> read = new ArrayList<>();
            while (read.size() < wanted) {
                read.add(next());
            }
            return read;
        }

        HeldOutImage next() throws IOException {
            try {
                Pair pair = pairs.peek();
                if (pair == null) {
                    throw UserException.badInput("--data " + data + " must have " + (first + count)
                            + " pairs that can be used but has " + position);
                }
                pairs.take();
                position++;
                return new HeldOutImage(pair.caption(), pair.image());
            } catch (SourceException e) {
                throw refused(e);
            }
        }

        @Override
        public void close() throws IOException {
            pairs.close();
        }
    }
}
