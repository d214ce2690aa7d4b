package dev.distillery.trainer.data;

import java.util.OptionalDouble;

import dev.distillery.trainer.data.LatentsShard.Dimensions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

/** Against diffengine's generators on the same random numbers; golden by {@code noise_golden.py}. */
class NoiseTest {

    private static final Dimensions SMALL = new Dimensions(1, 2, 7, 5, 77, 4, 0);

    @ParameterizedTest
    @CsvFileSource(resources = "/noise_golden.csv", delimiter = ';', maxCharsPerColumn = 10_000)
    void shouldEqualDiffengine(String kind, double argument, String expected) {
        // Given
        Noise noise = kind.equals("offset")
                ? new Noise(argument, OptionalDouble.empty(), 0)
                : new Noise(0, OptionalDouble.of(argument), 0);
        String[] numbers = expected.split(",");
        int at = 3;

        // When
        float[] actual = new float[at + SMALL.latent()];
        noise.draw(Draws.of(3, 5, 1, "noise"), SMALL, actual, at);

        // Then
        assertThat(numbers).hasSize(SMALL.latent());
        for (int i = 0; i < numbers.length; i++) {
            assertThat(actual[at + i]).as("number %d", i).isCloseTo(Float.parseFloat(numbers[i]), within(2e-6f));
        }
    }

    @Test
    void shouldMoveTheMeanOfChannelsOnlyWhenNoiseIsNotWhite() {
        assertThat(spreadOfMeans(Noise.WHITE)).isCloseTo(1.0 / 64, within(0.004)); // 1/sqrt(4096) of a standard normal
        assertThat(spreadOfMeans(new Noise(0.5, OptionalDouble.empty(), 0))).isGreaterThan(0.4);
        assertThat(spreadOfMeans(new Noise(0, OptionalDouble.of(0.9), 0))).isGreaterThan(0.1);
    }

    private static double spreadOfMeans(Noise noise) {
        Dimensions d = new Dimensions(1, 4, 64, 64, 77, 4, 0);
        int samples = 50;
        double squares = 0;
        for (int i = 0; i < samples; i++) {
            float[] target = new float[d.latent()];
            noise.draw(Draws.of(0, 0, i, "noise"), d, target, 0);
            for (int c = 0; c < d.channels(); c++) {
                double mean = 0;
                for (int j = 0; j < 4096; j++) {
                    mean += target[c * 4096 + j] / 4096.0;
                }
                squares += mean * mean / (samples * d.channels());
            }
        }
        return Math.sqrt(squares);
    }
}
