package dev.distillery.evaluator;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Set;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.artifacts.ArtifactStore;
import dev.distillery.artifacts.Keys;
import dev.distillery.evaluator.score.Digests;
import dev.distillery.evaluator.score.Evaluation;
import dev.distillery.evaluator.score.Score;

/**
 * {@code runs/<run>/evaluation/<name>/plan.json}: how an evaluation is done. It is settled once, and every part follows it,
 * whoever does it and whatever has become of the models since.
 *
 * @param student prefix of the converted student
 * @param teacher prefix of the teacher
 * @param dataset prefix of the data set
 * @param positions of the images in the data set, ascending
 * @param scheduler configuration of the scheduler that both draw with
 * @param clip prefix in the store; null without
 * @param inception key; null without
 * @param realStatistics key; null: the images of the data
 */
record Plan(
        String run,
        String name,
        String student,
        String teacher,
        String dataset,
        List<Long> positions,
        List<String> scores,
        ObjectNode scheduler,
        int steps,
        double guidance,
        int size,
        int scoredSize,
        long seed,
        String clip,
        String inception,
        String realStatistics,
        Digests digests) {

    private static final ObjectMapper JSON = new ObjectMapper();

    static String key(String run, String name) {
        return Keys.evaluationParts(run, name) + "plan.json";
    }

    static Plan read(ArtifactStore store, String run, String name) {
        String key = key(run, name);
        try {
            return JSON.readValue(store.read(key), Plan.class);
        } catch (IOException e) {
            throw new UncheckedIOException(key + " is no plan of an evaluation: " + e.getMessage(), e);
        }
    }

    /** The same plan has the same bytes. */
    byte[] json() {
        try {
            return JSON.writeValueAsBytes(this);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    int images() {
        return positions.size();
    }

    int parts() {
        return (images() + Evaluation.PART_IMAGES - 1) / Evaluation.PART_IMAGES;
    }

    Set<Score> wanted() {
        return Score.of(scores);
    }
}
