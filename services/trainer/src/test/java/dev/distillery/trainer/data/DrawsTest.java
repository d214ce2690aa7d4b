package dev.distillery.trainer.data;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class DrawsTest {

    private static final int MANY = 200_000;

    @Test
    void shouldHaveMomentsOfTheNormalDistributionWhenManyAreDrawn() {
        // Given
        float[] numbers = new float[MANY];

        // When
        Draws.of(7, 3, 0, "noise").normal(numbers, 0, MANY);

        // Then: four standard errors of each moment
        double[] moments = new double[5];
        for (float x : numbers) {
            for (int power = 1; power <= 4; power++) {
                moments[power] += Math.pow(x, power) / MANY;
            }
        }
        assertThat(moments[1]).isCloseTo(0, within(4 * Math.sqrt(1.0 / MANY)));
        assertThat(moments[2]).isCloseTo(1, within(4 * Math.sqrt(2.0 / MANY)));
        assertThat(moments[3]).isCloseTo(0, within(4 * Math.sqrt(15.0 / MANY)));
        assertThat(moments[4]).isCloseTo(3, within(4 * Math.sqrt(96.0 / MANY)));
    }

    @Test
    void shouldDrawTheSameAgainWhenAskedForTheSameUse() {
        // Given
        float[] first = new float[17];
        Draws.of(1, 2, 3, "noise").normal(first, 0, 17);

        // When
        float[] second = new float[17];
        Draws.of(1, 2, 3, "noise").normal(second, 0, 17);

        // Then
        assertThat(second).containsExactly(first);
    }

    @Test
    void shouldDrawIndependentlyWhenAnyPartOfTheUseDiffers() {
        // Given
        Draws[] others = {
            Draws.of(2, 2, 3, "noise"), Draws.of(1, 3, 3, "noise"), Draws.of(1, 2, 4, "noise"), Draws.of(1, 2, 3, "eps")
        };
        float[] one = new float[MANY];
        Draws.of(1, 2, 3, "noise").normal(one, 0, MANY);

        for (Draws other : others) {
            // When
            float[] two = new float[MANY];
            other.normal(two, 0, MANY);

            // Then
            double correlation = 0;
            for (int i = 0; i < MANY; i++) {
                correlation += one[i] * two[i] / MANY;
            }
            assertThat(correlation).isCloseTo(0, within(4 / Math.sqrt(MANY)));
        }
    }
}
