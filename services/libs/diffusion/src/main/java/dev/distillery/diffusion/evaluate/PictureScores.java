package dev.distillery.diffusion.evaluate;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

import ai.djl.ndarray.NDManager;
import dev.distillery.diffusion.tensor.Torch;

/**
 * What scores of a set of pictures follow from. Those of parts add up; only the Inception Score depends on their order.
 *
 * @param latents of {@link LatentFeatures}
 * @param inception of what FID compares; empty without Inception
 * @param logProbabilities of Inception's classes, for each picture
 * @param clip {@link ClipScore#NONE} without CLIP
 */
public record PictureScores(
        FeatureStatistics latents,
        Optional<FeatureStatistics> inception,
        List<float[]> logProbabilities,
        ClipScore clip) {

    public static PictureScores of(PictureFeatures features) {
        try (NDManager scope = Torch.newManager()) {
            return new PictureScores(
                    FeatureStatistics.of(scope.create(features.latents())),
                    features.inception().length == 0
                            ? Optional.empty()
                            : Optional.of(FeatureStatistics.of(scope.create(features.inception()))),
                    List.of(features.logProbabilities()),
                    ClipScore.of(features.cosines()));
        }
    }

    public PictureScores plus(PictureScores next) {
        return new PictureScores(
                latents.plus(next.latents),
                inception.flatMap(own -> next.inception.map(own::plus)),
                Stream.concat(logProbabilities.stream(), next.logProbabilities.stream())
                        .toList(),
                clip.plus(next.clip));
    }
}
