package dev.distillery.trainer.run;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class LearningRateTest {

    /** The file is the output of learning_rate_golden.py beside it. */
    @ParameterizedTest
    @CsvFileSource(resources = "/learning_rate_golden.csv", delimiter = ';')
    void shouldEqualDiffusersAtEveryStep(String type, long warmup, long steps, String expected) {
        // Given
        LearningRate rate = LearningRate.of(type, 1e-3, warmup, steps);
        String[] rates = expected.split(",");

        for (int step = 0; step < steps; step++) {
            // When
            double actual = rate.at(step);

            // Then
            assertThat(actual).as("step %d", step).isCloseTo(Double.parseDouble(rates[step]), within(1e-15));
        }
    }
}
