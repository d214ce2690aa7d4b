package dev.distillery.standalone.evaluation;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import dev.distillery.dataingest.shard.UsablePairs;
import dev.distillery.dataingest.source.Captions;
import dev.distillery.dataingest.source.LocalTree;
import dev.distillery.dataingest.source.Pair;
import dev.distillery.dataingest.source.PairSources;
import dev.distillery.dataingest.source.SourceException;
import dev.distillery.diffusion.image.RgbImage;
import dev.distillery.events.TrainRequest;
import dev.distillery.standalone.console.UserException;

/** An image with its caption; only those that can be used count. */
record HeldOutImage(String caption, byte[] file) {

    /**
     * So many pairs of a folder or a file, from a position on.
     *
     * @throws UserException if there are not so many
     */
    static List<HeldOutImage> read(Path data, String image, String caption, int first, int count) throws IOException {
        LocalTree tree = Files.isRegularFile(data) ? LocalTree.onlyFile(data) : new LocalTree(data);
        List<HeldOutImage> read = new ArrayList<>();
        try (UsablePairs pairs =
                UsablePairs.of(PairSources.open(tree, image, Captions.of(caption)), TrainRequest.Filter.NONE)) {
            for (int i = 0; i < first + count; i++) {
                Pair pair = pairs.peek();
                if (pair == null) {
                    throw UserException.badInput("--data " + data + " must have " + (first + count)
                            + " pairs that can be used but has " + i);
                }
                if (i >= first) {
                    read.add(new HeldOutImage(pair.caption(), pair.image()));
                }
                pairs.take();
            }
            return read;
        } catch (SourceException e) {
            throw UserException.badInput("--data " + data + ": " + e.getMessage());
        }
    }

    RgbImage image() throws IOException {
        return RgbImage.decode(file);
    }
}
