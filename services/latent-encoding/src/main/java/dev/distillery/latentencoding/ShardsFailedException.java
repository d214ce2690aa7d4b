package dev.distillery.latentencoding;

import java.util.List;

import dev.distillery.latentencoding.LatentsShards.Note;

/** More shards of a data set failed than its run allows. */
public final class ShardsFailedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ShardsFailedException(List<Note> failed, int shards, double maxFailed) {
        super("%d of %d shards failed, but 'dataset.maxFailed' is %s; %s"
                .formatted(
                        failed.size(),
                        shards,
                        maxFailed,
                        failed.get(failed.size() - 1).failed()));
    }
}
