package dev.distillery.trainer.data;

import java.util.Arrays;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

class EpochOrderTest {

    @ParameterizedTest
    @CsvSource({
        "1, , 1, 1",
        "2, , 1, 1",
        "16, , 15, 1",
        "33, , 31, 2",
        "1911, , 1792, 119",
        "5000, , 4872, 128",
        "5000, 0.2, 4000, 1000",
        "3, 0.9, 1, 2",
        "3, 0.01, 2, 1"
    })
    void shouldPartEveryPairOnceWhenSplit(int pairs, Double validation, int train, int heldOut) {
        // When
        Split split = Split.of(pairs, validation == null ? OptionalDouble.empty() : OptionalDouble.of(validation));

        // Then
        assertThat(split.train()).hasSize(train);
        assertThat(split.heldOut()).hasSize(heldOut);
        assertThat(IntStream.concat(Arrays.stream(split.train()), Arrays.stream(split.heldOut()))
                        .distinct()
                        .sorted())
                .containsExactlyElementsOf(IntStream.range(0, pairs).boxed().toList());
    }

    @Test
    void shouldVisitEveryPairOnceAnEpochWhenTheLastBatchIsUneven() {
        // Given
        int[] pairs = {10, 11, 12, 13, 14, 15, 16};
        EpochOrder order = new EpochOrder(pairs, 3, 5);

        // When
        int[] first = steps(order, 0, 3);
        int[] second = steps(order, 3, 6);

        // Then
        assertThat(order.stepsPerEpoch()).isEqualTo(3);
        assertThat(order.pairsOf(2)).hasSize(1);
        assertThat(first).containsExactlyInAnyOrder(pairs);
        assertThat(second).containsExactlyInAnyOrder(pairs).isNotEqualTo(first);
    }

    @Test
    void shouldGoOnInTheSameOrderWhenStartedInTheMiddle() {
        // Given
        int[] pairs = IntStream.range(0, 50).toArray();
        EpochOrder uninterrupted = new EpochOrder(pairs, 8, 5);
        int[] expected = steps(uninterrupted, 0, 20);

        // When
        int[] resumed = steps(new EpochOrder(pairs, 8, 5), 11, 20);

        // Then
        int[] tail = Arrays.copyOfRange(expected, expected.length - resumed.length, expected.length);
        assertThat(resumed).containsExactly(tail);
    }

    private static int[] steps(EpochOrder order, int from, int to) {
        return IntStream.range(from, to)
                .flatMap(step -> Arrays.stream(order.pairsOf(step)))
                .toArray();
    }
}
