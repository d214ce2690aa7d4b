package dev.distillery.standalone.evaluation;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

import dev.distillery.standalone.console.UserException;

/** What can be asked for. */
enum Score {
    TEACHER_MATCH,
    CLIP,
    FID,
    IS;

    static Set<Score> of(List<String> names) {
        Set<Score> scores = EnumSet.noneOf(Score.class);
        for (String name : names) {
            scores.add(Arrays.stream(values())
                    .filter(score -> score.toString().equals(name))
                    .findFirst()
                    .orElseThrow(() -> UserException.badInput("--scores must be of " + all() + " but one is " + name)));
        }
        return scores;
    }

    private static String all() {
        return Arrays.stream(values()).map(Score::toString).collect(Collectors.joining(", "));
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
