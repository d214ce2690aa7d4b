package dev.distillery.evaluator.score;

import java.util.List;
import java.util.SortedMap;

import com.fasterxml.jackson.annotation.JsonInclude;

/**
 * SHA-256 of all that the scores depend on: two reports with the same ones are of the same things. Models by their files, as
 * {@code sha256sum} and the Hub show them.
 *
 * @param data of the captions and images, in the order in which they lie there
 * @param student of the U-Net's folder, and by their folders' names those of text encoders that learnt with it
 * @param clip null without CLIP
 * @param inception null without Inception
 * @param realStatistics null if FID compares with the images of the data
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Digests(
        String data,
        SortedMap<String, String> student,
        SortedMap<String, String> teacher,
        SortedMap<String, String> clip,
        String inception,
        String realStatistics) {

    private static final List<String> READ = List.of(".json", ".safetensors", ".txt");

    /** Whether models are read from files of such a name. */
    public static boolean isOfModel(String file) {
        return READ.stream().anyMatch(file::endsWith);
    }
}
