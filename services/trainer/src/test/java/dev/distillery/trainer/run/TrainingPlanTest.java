package dev.distillery.trainer.run;

import java.util.stream.LongStream;

import dev.distillery.trainer.run.TrainingPlan.Every;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class TrainingPlanTest {

    @Test
    void shouldKeepSampleAndEvaluateAtEpochsAndAtTheEndWhenCutShort() {
        // Given 10 steps a epoch, the third epoch cut short
        TrainingPlan plan = new TrainingPlan(25, 10, new Every.Epochs(2), 1);

        // When
        long[] checkpoints =
                LongStream.rangeClosed(1, 25).filter(plan::checkpointAfter).toArray();
        long[] samples =
                LongStream.rangeClosed(1, 25).filter(plan::samplesAfter).toArray();
        long[] evaluations =
                LongStream.rangeClosed(1, 25).filter(plan::evaluationAfter).toArray();

        // Then
        assertThat(plan.epochs()).isEqualTo(3);
        assertThat(checkpoints).containsExactly(20, 25);
        assertThat(samples).containsExactly(10, 20, 25);
        assertThat(evaluations).containsExactly(10, 20, 25);
    }

    @Test
    void shouldCountEpochsFromOneWhenStepsAreDone() {
        // Given
        TrainingPlan plan = new TrainingPlan(20, 10, new Every.Steps(7), 0);

        // When
        int[] epochs = LongStream.of(0, 1, 10, 11, 20).mapToInt(plan::epoch).toArray();

        // Then
        assertThat(epochs).containsExactly(0, 1, 1, 2, 2);
        assertThat(LongStream.rangeClosed(1, 20).filter(plan::checkpointAfter)).containsExactly(7L, 14L, 20L);
        assertThat(LongStream.rangeClosed(1, 20).filter(plan::samplesAfter)).containsExactly(20L);
    }
}
