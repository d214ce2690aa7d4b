package dev.distillery.evaluator.score;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

import dev.distillery.diffusion.evaluate.InceptionScore;

/** What can be asked for. */
public enum Score {
    TEACHER_MATCH,
    CLIP,
    FID,
    IS;

    /** @throws IllegalArgumentException naming one that is none */
    public static Set<Score> of(List<String> names) {
        Set<Score> scores = EnumSet.noneOf(Score.class);
        for (String name : names) {
            scores.add(Arrays.stream(values())
                    .filter(score -> score.toString().equals(name))
                    .findFirst()
                    .orElseThrow(
                            () -> new IllegalArgumentException("scores must be of " + all() + " but one is " + name)));
        }
        return scores;
    }

    /** Of how many images such scores can be told at least. */
    public static int fewestImages(Set<Score> scores) {
        return scores.contains(IS) ? InceptionScore.SPLITS : scores.contains(FID) ? 2 : 1;
    }

    private static String all() {
        return Arrays.stream(values()).map(Score::toString).collect(Collectors.joining(", "));
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
