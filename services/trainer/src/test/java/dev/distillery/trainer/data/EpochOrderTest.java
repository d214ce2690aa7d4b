package dev.distillery.trainer.data;

import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
        Split split =
                Split.of(index(pairs), validation == null ? OptionalDouble.empty() : OptionalDouble.of(validation));

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
        EpochOrder order = new EpochOrder(index(20), pairs, 3, 1, 5);

        // When
        int[] first = steps(order, 0, 3);
        int[] second = steps(order, 3, 6);

        // Then
        assertThat(order.stepsPerEpoch()).isEqualTo(3);
        assertThat(order.batchesOf(2)).singleElement().isEqualTo(Arrays.copyOfRange(first, 6, 7));
        assertThat(first).containsExactlyInAnyOrder(pairs);
        assertThat(second).containsExactlyInAnyOrder(pairs).isNotEqualTo(first);
    }

    @Test
    void shouldGoOnInTheSameOrderWhenStartedInTheMiddle() {
        // Given
        int[] pairs = IntStream.range(0, 50).toArray();
        EpochOrder uninterrupted = new EpochOrder(index(50), pairs, 8, 1, 5);
        int[] expected = steps(uninterrupted, 0, 20);

        // When
        int[] resumed = steps(new EpochOrder(index(50), pairs, 8, 1, 5), 11, 20);

        // Then
        int[] tail = Arrays.copyOfRange(expected, expected.length - resumed.length, expected.length);
        assertThat(resumed).containsExactly(tail);
    }

    @Test
    void shouldMakeBatchesOfOneSizeAndLoseNoPairOfARareOne() {
        // Given 40 pairs, of which 5 are tall and one is wide, in steps of two batches
        LatentsIndex index =
                new LatentsIndex(List.of(shard(Map.of(new LatentSize(8, 8), 20)), shard(sizes(14, 5, 1))), 0);
        EpochOrder order = new EpochOrder(index, IntStream.range(0, 40).toArray(), 4, 2, 5);

        // When
        List<int[]> batches = IntStream.range(0, order.stepsPerEpoch())
                .mapToObj(order::batchesOf)
                .flatMap(List::stream)
                .toList();

        // Then 34 pairs are 9 batches, 5 are 2, 1 is one
        assertThat(order.stepsPerEpoch()).isEqualTo(6);
        assertThat(batches).hasSize(12);
        assertThat(batches).allSatisfy(batch -> assertThat(
                        Arrays.stream(batch).mapToObj(index::sizeOf).distinct())
                .hasSize(1));
        assertThat(batches.stream().flatMapToInt(Arrays::stream).sorted())
                .containsExactlyElementsOf(IntStream.range(0, 40).boxed().toList());
        assertThat(batches.subList(0, 9)).allSatisfy(batch -> assertThat(batch).hasSize(4));
        assertThat(index.sizeOf(39)).isEqualTo(new LatentSize(12, 6));
    }

    @Test
    void shouldNeedFewShardsAtATimeWhenThereAreMany() {
        // Given 100 shards of 10 pairs
        LatentsIndex index = new LatentsIndex(Collections.nCopies(100, shard(Map.of(new LatentSize(8, 8), 10))), 0);
        Split split = Split.of(index, OptionalDouble.empty());
        EpochOrder order = new EpochOrder(index, split.train(), 5, 1, 3);

        // When
        int[] pairs = steps(order, 0, order.stepsPerEpoch());

        // Then
        assertThat(pairs).containsExactlyInAnyOrder(split.train());
        assertThat(Arrays.stream(split.heldOut()).map(index::shardOf).distinct().count())
                .isLessThanOrEqualTo(13); // 62 pairs, of twice as many in the shards
        for (int from = 0; from + 155 <= pairs.length; from += 155) {
            assertThat(Arrays.stream(pairs, from, from + 155)
                            .map(index::shardOf)
                            .distinct()
                            .count())
                    .isLessThanOrEqualTo(2 * EpochOrder.WINDOW + 1);
        }
        assertThat(Arrays.stream(pairs, 0, 100).map(index::shardOf).distinct().count())
                .isGreaterThan(10);
        assertThat(steps(order, order.stepsPerEpoch(), order.stepsPerEpoch() + 20))
                .isNotEqualTo(steps(order, 0, 20));
    }

    private static Map<LatentSize, Integer> sizes(int square, int tall, int wide) {
        var sizes = new LinkedHashMap<LatentSize, Integer>();
        sizes.put(new LatentSize(6, 12), tall);
        sizes.put(new LatentSize(8, 8), square);
        sizes.put(new LatentSize(12, 6), wide);
        return sizes;
    }

    private static LatentsIndex.Shard shard(Map<LatentSize, Integer> sizes) {
        return new LatentsIndex.Shard("shards/x.safetensors", 1, "", sizes);
    }

    private static LatentsIndex index(int pairs) {
        return new LatentsIndex(List.of(shard(Map.of(new LatentSize(8, 8), pairs))), 0);
    }

    private static int[] steps(EpochOrder order, int from, int to) {
        return IntStream.range(from, to)
                .mapToObj(order::batchesOf)
                .flatMap(List::stream)
                .flatMapToInt(Arrays::stream)
                .toArray();
    }
}
