package dev.distillery.trainer.data;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class TimestepsTest {

    private static final int COUNT = 1000;

    /** The weights that diffengine gives to torch.multinomial: ones, times the multiplier in the range, over their sum. */
    @ParameterizedTest
    @CsvSource({"0, 1, 1", "0, 0.25, 5", "0.75, 1, 5", "0.25, 0.75, 5", "0.1, 0.2, 0.5", "0.4, 0.6, 1000"})
    void shouldDrawEachTimestepAsOftenAsItsWeightSays(double begin, double end, double multiplier) {
        // Given
        Timesteps timesteps = new Timesteps(COUNT, begin, end, multiplier);
        double[] weights = new double[COUNT];
        double sum = 0;
        for (int t = 0; t < COUNT; t++) {
            weights[t] = t >= (int) (begin * COUNT) && t < (int) (end * COUNT) ? multiplier : 1;
            sum += weights[t];
        }

        // When
        int draws = 4_000_000;
        int[] drawn = new int[COUNT];
        for (int i = 0; i < draws; i++) {
            drawn[timesteps.at((i + 0.5) / draws)]++;
        }

        // Then
        for (int t = 0; t < COUNT; t++) {
            assertThat(drawn[t]).isCloseTo((int) Math.round(draws * weights[t] / sum), within(2));
        }
    }

    @Test
    void shouldStayInRangeAtBothEnds() {
        Timesteps late = new Timesteps(COUNT, 0.75, 1, 5);
        assertThat(late.at(0)).isZero();
        assertThat(late.at(Math.nextDown(1.0))).isEqualTo(COUNT - 1);
    }
}
