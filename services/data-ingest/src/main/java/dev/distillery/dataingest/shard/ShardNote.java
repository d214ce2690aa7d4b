package dev.distillery.dataingest.shard;

import java.util.List;
import java.util.Map;

import dev.distillery.artifacts.Manifest.FileEntry;

/**
 * What a finished shard says about itself, beside it in the store, so that an interrupted ingest goes on behind it.
 *
 * @param part of the data set, from 0
 * @param next position in the source at which the next shard begins
 * @param reasons number of skipped pairs by reason
 * @param digests of its images, if duplicates are dropped
 */
public record ShardNote(
        int part,
        int pairs,
        int skipped,
        long next,
        Map<String, Integer> reasons,
        List<Long> digests,
        List<FileEntry> files) {}
