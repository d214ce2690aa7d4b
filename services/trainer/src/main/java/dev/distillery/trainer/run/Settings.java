package dev.distillery.trainer.run;

import java.util.OptionalDouble;

import dev.distillery.events.TrainRequest;
import dev.distillery.trainer.data.LatentsIndex;
import dev.distillery.trainer.data.Noise;
import dev.distillery.trainer.data.Sampling;
import dev.distillery.trainer.data.Split;
import dev.distillery.trainer.data.Timesteps;
import dev.distillery.trainer.run.TrainingPlan.Every;

/** What a request asks of the course of the training, in the terms of this package. */
final class Settings {

    private Settings() {}

    static TrainingPlan plan(TrainRequest request, int stepsPerEpoch) {
        TrainRequest.Train train = request.train();
        long steps = train.steps() != null ? train.steps() : (long) train.epochs() * stepsPerEpoch;
        TrainRequest.Checkpoint checkpoint = train.checkpoint();
        Every every = checkpoint.everySteps() != null
                ? new Every.Steps(checkpoint.everySteps())
                : new Every.Epochs(checkpoint.everyEpochs());
        int sampleEvery =
                request.samples().prompts().isEmpty() ? 0 : request.samples().everyEpochs();
        return new TrainingPlan(steps, stepsPerEpoch, every, sampleEvery);
    }

    static Split split(TrainRequest request, LatentsIndex index) {
        if (index.validationPairs() > 0) {
            return Split.last(index.pairs(), index.validationPairs());
        }
        Split split = Split.of(index, request.dataset().validationPortion());
        return request.teachesSubject() ? split.withAllTrained(index.pairs()) : split;
    }

    static LearningRate learningRate(TrainRequest.Train train, long steps) {
        return LearningRate.of(
                train.schedule().type(),
                train.optimizer().learningRate(),
                train.schedule().warmup(),
                steps);
    }

    static Sampling sampling(TrainRequest.Train train, int timesteps) {
        TrainRequest.Timesteps range = train.timesteps();
        TrainRequest.Noise noise = train.noise();
        return new Sampling(
                new Timesteps(timesteps, range.begin(), range.end(), range.multiplier()),
                new Noise(noise.offset(), optional(noise.pyramid()), noise.perturbation()),
                train.captionDropout(),
                train.seed());
    }

    private static OptionalDouble optional(Double value) {
        return value == null ? OptionalDouble.empty() : OptionalDouble.of(value);
    }
}
