package dev.distillery.events.messaging;

import java.util.Arrays;
import java.util.stream.IntStream;

import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

class ShardPartitionerTest {

    @ParameterizedTest
    @CsvSource({"8, 24, 2", "8, 4, 2", "100, 24, 3", "1000, 12, 4", "9, 24, 2", "16, 16, 4"})
    void shouldGiveConsumersOfARangeOfPartitionsEachEqualShares(int shards, int partitions, int consumers) {
        for (String run : new String[] {"small-sdxl-pokemon", "a", "noto-emoji-small"}) {
            // When
            int[] shares = new int[consumers];
            IntStream.range(0, shards)
                    .map(shard -> ShardPartitioner.partition(run + "/" + shard, partitions))
                    .forEach(partition -> shares[partition * consumers / partitions]++);

            // Then
            assertThat(Arrays.stream(shares).max().orElseThrow()
                            - Arrays.stream(shares).min().orElseThrow())
                    .as(run + " " + Arrays.toString(shares))
                    .isLessThanOrEqualTo(2);
        }
    }

    @Test
    void shouldSendOtherKeysWhereKafkaSendsThem() {
        for (String key : new String[] {"small-sdxl-pokemon", "a", "run/x", "/3"}) {
            assertThat(ShardPartitioner.partition(key, 24))
                    .isEqualTo(BuiltInPartitioner.partitionForKey(key.getBytes(), 24));
        }
    }
}
